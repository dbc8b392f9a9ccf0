"""Which execution a free worker takes: decided when the worker is there, and not by the order of messages.

Of those that have a place and no worker, the organization with the fewest at work comes first; among equals the one
that got a worker least recently, and then whoever has waited longest. The plans rest on the index `execution_placed`.
"""

from uuid import UUID

from django.conf import settings
from django.db import connection

from security.identifiers import uuid7
from workflows.engine.store import Held, row_of, taken, taking

# What has waited so long for a worker may have lost its message; every few seconds the sweep looks for such.
VAIN_SECONDS = 5

CHOSEN = b"""
    placed AS (
        SELECT id, organization_id, admitted_at, lease_until FROM workflows_execution
        WHERE status IN ('starting', 'running') AND admitted_at IS NOT NULL
    ), busy AS (
        SELECT organization_id, count(*) AS workers FROM placed WHERE lease_until IS NOT NULL GROUP BY organization_id
    ), ranked AS (
        SELECT placed.id, organization_id, admitted_at, COALESCE(workers, 0)
            + row_number() OVER (PARTITION BY organization_id ORDER BY admitted_at, placed.id) AS place
        FROM placed LEFT JOIN busy USING (organization_id) WHERE lease_until IS NULL
    ), chosen AS (
        SELECT waiting.id FROM workflows_execution waiting JOIN ranked USING (id)
        LEFT JOIN workflows_lastserved served ON served.organization_id = ranked.organization_id
        WHERE waiting.status IN ('starting', 'running') AND waiting.admitted_at IS NOT NULL
            AND waiting.lease_until IS NULL
        ORDER BY ranked.place, served.at NULLS FIRST, ranked.admitted_at, ranked.id
        LIMIT 1 FOR NO KEY UPDATE OF waiting SKIP LOCKED
    )
"""
NOTED = b"""
    served AS (
        INSERT INTO workflows_lastserved (organization_id, at) SELECT organization_id, clock_timestamp() FROM held
        ON CONFLICT (organization_id) DO UPDATE SET at = excluded.at
    )
"""
CLAIM_NEXT = taking(b"id = (SELECT id FROM chosen)", before=CHOSEN, after=NOTED)

# Would a worker that is free now be given to somebody else? One's own worker is not counted.
ANOTHER_IS_NEXT = b"""
    WITH others AS (
        SELECT organization_id, lease_until FROM workflows_execution
        WHERE status IN ('starting', 'running') AND admitted_at IS NOT NULL AND id <> %(id)s
    ), busy AS (
        SELECT organization_id, count(*) AS workers FROM others WHERE lease_until IS NOT NULL GROUP BY organization_id
    )
    SELECT EXISTS (
        SELECT FROM others LEFT JOIN busy USING (organization_id)
        WHERE lease_until IS NULL
            AND COALESCE(workers, 0) <= COALESCE((SELECT workers FROM busy WHERE organization_id = %(organization)s), 0)
    )
"""
WAITS_IN_VAIN = """
    SELECT EXISTS (
        SELECT FROM workflows_execution
        WHERE status IN ('starting', 'running') AND admitted_at < clock_timestamp() - %s * interval '1 second'
            AND lease_until IS NULL
    )
"""


def claim_next() -> Held | None:
    """Take up the execution whose turn it is, if any has a place and no worker."""
    return taken(row_of(CLAIM_NEXT, {"lease": settings.WORKFLOW_LEASE_SECONDS, "activity": uuid7()}))


def is_another_next(execution_id: UUID, organization_id: int) -> bool:
    """Whether the worker of this execution would go to another one, were it free."""
    row = row_of(ANOTHER_IS_NEXT, {"id": execution_id, "organization": organization_id})
    return row is not None and bool(row[0])


def is_somebody_waiting_long() -> bool:
    """Whether an execution has waited for a worker so long that its message may have been lost."""
    with connection.cursor() as cursor:
        cursor.execute(WAITS_IN_VAIN, [min(VAIN_SECONDS, settings.WORKFLOW_LEASE_SECONDS)])
        return bool(cursor.fetchone()[0])
