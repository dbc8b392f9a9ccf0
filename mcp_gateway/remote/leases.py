"""Who refreshes which connection: what is due is handed out, and taken by a lease that one worker holds at a time.

A worker that lives keeps its lease going while the provider thinks; one that died loses it within `LEASE_SECONDS`, and
the clock's next round finds the connection again. Everything is one conditional statement by the database's clock,
and no transaction is open while a provider is asked.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Least, Now

from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote.lifetimes import in_seconds

# The most that one round of the clock hands out.
CLAIMED_AT_ONCE = 500
# What was handed out and not begun by then is handed out again.
HANDED_OUT_SECONDS = 60.0
# From a worker's last sign of life to the next attempt is this long and one round of the clock, together less than the
# shortest grace of providers that have one (30 s): within it they take a refresh token that was just spent.
LEASE_SECONDS = 12.0

# The plan: an index scan on remote_connection_due, which has the rows in this order, then each by where it lies. A row
# that moved in between, because somebody settled it, is left for the next round. No index holds what is written and the
# table keeps room in its pages (migration 0007), so nothing but the rows changes.
_CLAIM = """
    UPDATE mcp_gateway_remoteconnection
    SET lease_holder = NULL, lease_until = statement_timestamp() + make_interval(secs => %s)
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM mcp_gateway_remoteconnection
        WHERE refresh_due_at <= statement_timestamp()
            AND (lease_until IS NULL OR lease_until <= statement_timestamp())
        ORDER BY refresh_due_at LIMIT %s FOR UPDATE SKIP LOCKED
    ))
    RETURNING id
"""
# Nobody is at work on it; that it was handed out, which leaves no holder, keeps nobody from taking it.
FREE = Q(lease_until=None) | Q(lease_holder=None) | Q(lease_until__lte=Now())


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to refresh one connection, which stands here as it was when the lease was taken."""

    connection: RemoteConnection
    holder: uuid.UUID

    @property
    def generation(self) -> int:
        return self.connection.generation

    def mine(self) -> QuerySet[RemoteConnection]:
        """The row, while it is this lease's and nothing was stored since."""
        return RemoteConnection.objects.filter(
            pk=self.connection.pk, generation=self.generation, lease_holder=self.holder
        )


def claim_due(limit: int = CLAIMED_AT_ONCE) -> list[int]:
    """The ids of connections that are due, each handed to one of all who ask at once."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        # What a crash of the database loses of this is handed out once more.
        cursor.execute("SET LOCAL synchronous_commit TO off")
        cursor.execute(_CLAIM, [HANDED_OUT_SECONDS, limit])
        return [int(row[0]) for row in cursor.fetchall()]


def take(connection_id: int) -> Lease | None:
    """The lease of a connection that is due; None where it is not, or somebody else is at work on it."""
    return _take(connection_id, Q(refresh_due_at__lte=Now()))


def take_rejected(connection_id: int, generation: int) -> Lease | None:
    """The lease of a connection whose access token was refused before its time.

    None where that token is no longer the stored one, somebody else is at work, or a pause after a failure is not over.
    The token counts as expired from now on, and the connection as due, so that a crash leaves it to the next round.
    """
    ready = Q(attempts=0) | Q(refresh_due_at__lte=Now())
    wanted = Q(generation=generation, status=RemoteConnection.Status.CONNECTED)
    return _take(
        connection_id,
        wanted & ready,
        refresh_due_at=Least("refresh_due_at", Now()),
        expires_at=Least("expires_at", Now()),
    )


def _take(connection_id: int, wanted: Q, **changes: Any) -> Lease | None:
    holder = uuid.uuid4()
    # Durable: within somebody's transaction the row would stay locked while the provider is asked.
    with transaction.atomic(durable=True):
        rows = RemoteConnection.objects.filter(wanted, FREE, pk=connection_id)
        if not rows.update(lease_holder=holder, lease_until=in_seconds(LEASE_SECONDS), **changes):
            return None
        return Lease(RemoteConnection.objects.select_related("server").get(pk=connection_id), holder)


def extend(lease: Lease) -> None:
    """A sign of life: the lease goes on, unless it is somebody else's by now."""
    lease.mine().update(lease_until=in_seconds(LEASE_SECONDS))
