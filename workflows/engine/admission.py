"""Who runs next: a place to run in is given fairly, so that one tenant's thousand runs do not hold up another's one.

Within the limits of the installation, of each organization and of each agent, organizations take turns; within one, the
oldest goes first. One lock makes the count exact however many ask.
"""

from uuid import UUID

from django.conf import settings
from django.db import connection

# The lock under which places are counted and given ("wf" in ASCII, then one).
LOCK = 0x776601

# Reads only what is alive, through execution_alive.
NEXT = """
    WITH live AS (
        SELECT id, organization_id, agent_id, created_at, admitted_at FROM workflows_execution
        WHERE status IN ('starting', 'running')
    ), of_agent AS (
        SELECT agent_id, count(*) AS busy FROM live WHERE admitted_at IS NOT NULL GROUP BY agent_id
    ), of_organization AS (
        SELECT organization_id, count(*) AS busy FROM live WHERE admitted_at IS NOT NULL GROUP BY organization_id
    ), waiting AS (
        SELECT live.id, live.organization_id, live.created_at,
            row_number() OVER (PARTITION BY agent_id ORDER BY live.created_at, live.id) + COALESCE(busy, 0)
                AS place_of_agent
        FROM live LEFT JOIN of_agent USING (agent_id) WHERE live.admitted_at IS NULL
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
        LIMIT GREATEST(%(places)s - (SELECT count(*) FROM live WHERE admitted_at IS NOT NULL), 0)
    )
    RETURNING id
"""

LOST = """
    UPDATE workflows_execution SET lease_until = NULL, admitted_at = clock_timestamp()
    WHERE id IN (
        SELECT id FROM workflows_execution WHERE status IN ('starting', 'running') AND (
            lease_until < clock_timestamp()
            OR lease_until IS NULL AND admitted_at < clock_timestamp() - %s * interval '1 second')
        ORDER BY lease_until NULLS FIRST, id LIMIT 1000
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING id
"""


def admit() -> list[UUID]:
    """Give the free places away; those that got one are to be sent to the workers."""
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
    """Executions that have a place and no worker: their lease ran out, or their message was lost.

    Each is named once a lease's time, however often it is asked: messages would pile up before workers that are busy.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOST, [settings.WORKFLOW_LEASE_SECONDS])
        return [row[0] for row in cursor.fetchall()]
