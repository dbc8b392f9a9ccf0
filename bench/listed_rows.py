"""The benchmark's executions: one organization's, of many agents and versions, made by PostgreSQL itself."""

import psycopg

EXECUTION_ROWS = """
WITH version AS (
    SELECT id, agent_id, row_number() OVER (ORDER BY id) AS place FROM workflows_workflow WHERE version IS NOT NULL
)
INSERT INTO workflows_execution
    (id, organization_id, agent_id, workflow_id, status, created_at, started_at, terminal_at, inputs, metadata, options,
     trigger, cron_expression, node_id, variables, step_count, activity_count, active_seconds, wanted, fence, attempts,
     outcome, reasoning, failure)
SELECT
    -- As the platform makes them: the time in front, so that they grow with it.
    encode(overlay(uuid_send(gen_random_uuid()) placing substring(int8send(
        (extract(epoch FROM made.at) * 1000)::bigint) from 3) from 1 for 6), 'hex')::uuid,
    organization.id, version.agent_id, version.id, made.status, made.at, made.at,
    CASE WHEN made.status IN ('completed', 'failed', 'cancelled') THEN made.at + interval '3 minutes' END,
    jsonb_build_object('order', 'A-' || number, 'shop', 'Rope and Oil'),
    jsonb_build_object('ticket', (number %% 100000)::text, 'tier', (number %% 3)::text),
    '{}', 'api', '', '', '{}', 5, 20, 3, '', 1, 0,
    CASE WHEN made.status = 'completed' THEN (ARRAY['done', 'declined', 'nothing to do'])[1 + number %% 3] ELSE '' END,
    '', ''
FROM generate_series(1, %(executions)s) AS number
CROSS JOIN LATERAL (SELECT
    now() - number * interval '10 seconds' AS at,
    CASE WHEN number %% 1000 = 0 THEN 'running' WHEN number %% 50 = 0 THEN 'failed'
         WHEN number %% 77 = 0 THEN 'cancelled' ELSE 'completed' END AS status) made
JOIN version ON version.place = 1 + number %% (SELECT count(*) FROM version)
CROSS JOIN accounts_organization organization
WHERE organization.slug = 'bench'
"""
LABELLED_ROWS = """
INSERT INTO workflows_label_executions (label_id, execution_id)
SELECT label.id, execution.id
FROM workflows_label label,
     (SELECT id, row_number() OVER (ORDER BY id) AS place FROM workflows_execution) execution
WHERE execution.place % 100 = 0
"""


def fill(connection: "psycopg.Connection[tuple[object, ...]]", executions: int) -> None:
    """So many executions, of all published versions in turn."""
    connection.execute(EXECUTION_ROWS, {"executions": executions})
    connection.execute(LABELLED_ROWS)
    connection.execute("VACUUM ANALYZE")
