"""Who runs next: a place to run in is given fairly, so that one tenant's thousand runs do not hold up another's one.

Within the limits of the installation, of each organization and of each agent, organizations take turns; within one, the
oldest goes first. One lock makes the count exact however many ask. Who has a place waits for a worker
(`workflows.engine.fairness`).
"""

from uuid import UUID

from django.conf import settings
from django.db import connection

# The lock under which places are counted and given ("wf" in ASCII, then one).
LOCK = 0x776601

# Reads those that have a place (execution_placed), and of those that wait the first ones of each agent
# (execution_to_admit): however many wait behind them costs nothing.
NEXT = """
    WITH RECURSIVE placed AS (
        SELECT organization_id, agent_id FROM workflows_execution
        WHERE status IN ('starting', 'running') AND admitted_at IS NOT NULL
    ), of_agent AS (
        SELECT agent_id, count(*) AS busy FROM placed GROUP BY agent_id
    ), of_organization AS (
        SELECT organization_id, count(*) AS busy FROM placed GROUP BY organization_id
    ), agents AS (
        (SELECT organization_id, agent_id FROM workflows_execution
        WHERE status IN ('starting', 'running') AND admitted_at IS NULL
        ORDER BY organization_id, agent_id LIMIT 1)
        UNION ALL
        SELECT later.organization_id, later.agent_id FROM agents CROSS JOIN LATERAL (
            SELECT organization_id, agent_id FROM workflows_execution
            WHERE status IN ('starting', 'running') AND admitted_at IS NULL
                AND (organization_id, agent_id) > (agents.organization_id, agents.agent_id)
            ORDER BY organization_id, agent_id LIMIT 1
        ) AS later
    ), waiting AS (
        SELECT first.id, agents.organization_id, first.created_at,
            row_number() OVER (PARTITION BY agents.agent_id ORDER BY first.created_at, first.id) + COALESCE(busy, 0)
                AS place_of_agent
        FROM agents CROSS JOIN LATERAL (
            SELECT id, created_at FROM workflows_execution
            WHERE status IN ('starting', 'running') AND admitted_at IS NULL
                AND organization_id = agents.organization_id AND agent_id = agents.agent_id
            ORDER BY created_at, id LIMIT %(per_agent)s
        ) AS first LEFT JOIN of_agent USING (agent_id)
    ), fitting AS (
        SELECT waiting.id, waiting.created_at,
            row_number() OVER (PARTITION BY organization_id ORDER BY waiting.created_at, waiting.id)
                + COALESCE(busy, 0) AS place_of_organization
        FROM waiting LEFT JOIN of_organization USING (organization_id) WHERE place_of_agent <= %(per_agent)s
    )
    UPDATE workflows_execution SET admitted_at = clock_timestamp()
    WHERE id IN (
        SELECT id FROM fitting WHERE place_of_organization <= %(per_organization)s
        ORDER BY place_of_organization, created_at, id
        LIMIT GREATEST(%(places)s - (SELECT count(*) FROM placed), 0)
    )
    RETURNING id
"""

LOST = """
    UPDATE workflows_execution SET lease_until = NULL, admitted_at = clock_timestamp()
    WHERE id IN (
        SELECT id FROM workflows_execution
        WHERE status IN ('starting', 'running') AND admitted_at IS NOT NULL AND lease_until < clock_timestamp()
        ORDER BY lease_until, id
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id
"""


def admit() -> list[UUID]:
    """Give the free places away; for each of those that got one a worker is to be called."""
    limits = {
        "places": settings.WORKFLOW_PLACES,
        "per_organization": settings.WORKFLOW_PLACES_PER_ORGANIZATION,
        "per_agent": settings.WORKFLOW_PLACES_PER_AGENT,
    }
    with connection.cursor() as cursor:
        # Both in one message, and so one transaction, which the database ends by itself: a worker that stalls in the
        # midst of it would hold up everybody else. The second sees what was committed before it had the lock.
        cursor.execute(f"SELECT pg_advisory_xact_lock({LOCK}); {NEXT}", limits)
        cursor.nextset()
        return [row[0] for row in cursor.fetchall()]


def lost() -> list[UUID]:
    """Executions whose worker was lost: their lease ran out. They wait for another one now, and are named once."""
    with connection.cursor() as cursor:
        cursor.execute(LOST)
        return [row[0] for row in cursor.fetchall()]
