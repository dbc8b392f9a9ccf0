"""How calls of models are forgotten one by one and stay in the accounts: old ones are summed up by day."""

from datetime import datetime

from django.db import connection

BATCH = 10_000

# One statement: a call is in its day's row if and only if it is gone itself. The plan: the BRIN summary on `at` leaves
# the few pages of old calls; days are found by model_day_once.
_SUM_UP = """
    WITH old AS (
        DELETE FROM llm_modelcall WHERE id IN (
            SELECT id FROM llm_modelcall WHERE at < %s ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
        )
        RETURNING organization_id, (at AT TIME ZONE 'UTC')::date AS day, model, product,
            input_tokens, cached_tokens, output_tokens, cost_usd
    ), summed AS (
        INSERT INTO llm_modelday AS kept (organization_id, day, model, product, calls, unpriced, input_tokens,
            cached_tokens, output_tokens, cost_usd)
        SELECT organization_id, day, model, product, count(*), count(*) FILTER (WHERE cost_usd IS NULL),
            sum(input_tokens), sum(cached_tokens), sum(output_tokens), COALESCE(sum(cost_usd), 0)
        FROM old GROUP BY organization_id, day, model, product
        ORDER BY organization_id, day, model, product
        ON CONFLICT (organization_id, day, model, product) DO UPDATE SET
            calls = kept.calls + EXCLUDED.calls,
            unpriced = kept.unpriced + EXCLUDED.unpriced,
            input_tokens = kept.input_tokens + EXCLUDED.input_tokens,
            cached_tokens = kept.cached_tokens + EXCLUDED.cached_tokens,
            output_tokens = kept.output_tokens + EXCLUDED.output_tokens,
            cost_usd = kept.cost_usd + EXCLUDED.cost_usd
    )
    SELECT count(*) FROM old
"""


def sum_up_calls(before: datetime) -> int:
    """Put the calls made before then into their days; gives how many. Each batch is a transaction of its own."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_SUM_UP, [before, BATCH])
            done: int = cursor.fetchone()[0]
        total += done
        if done < BATCH:
            return total
