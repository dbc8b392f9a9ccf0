"""What is forgotten of webhooks: deliveries that came to their end, or wait for an endpoint nobody enables."""

from datetime import datetime

from django.db import connection

BATCH = 10_000

# The plan: an index scan on webhook_delivery_by_time; then each row by its primary key.
_DELIVERIES = """
    DELETE FROM workflows_webhookdelivery WHERE id IN (
        SELECT delivery.id FROM workflows_webhookdelivery delivery
        JOIN workflows_webhookendpoint endpoint ON endpoint.id = delivery.endpoint_id
        WHERE delivery.created_at < %s AND (delivery.due_at IS NULL OR NOT endpoint.enabled)
        ORDER BY delivery.created_at LIMIT %s FOR UPDATE OF delivery SKIP LOCKED
    )
"""


def forget_deliveries(before: datetime) -> int:
    """Delete those made before then; gives how many. Each batch is a transaction of its own."""
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DELIVERIES, [before, BATCH])
            deleted: int = cursor.rowcount
        total += deleted
        if deleted < BATCH:
            return total
