"""Keeping connections alive: what is due is refreshed in the background, what a server refuses is refreshed at once.

Both take the same lease, so a refresh token is redeemed once, however many workers and calls want it.
"""

import asyncio

from asgiref.sync import async_to_sync
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from mcp_gateway.models import RemoteConnection
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import leases, settling
from mcp_gateway.remote.leases import Lease
from mcp_gateway.remote.loops import PerLoop
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.redemption import Outcome, redeem
from mcp_gateway.remote.services.credentials import own
from mcp_gateway.remote.settling import UNKNOWN_CLIENT, store
from mcp_gateway.remote.targets import Credential
from security.throttle import Limit

__all__ = ["Outcome", "finish", "refresh", "renew", "scope_refused", "store"]

# A call waits this long for a refresh, its own or somebody else's: longer than one exchange takes.
PATIENCE_SECONDS = 30.0
# How often a call looks whether somebody else's refresh has ended.
LOOK_SECONDS = 0.1
# A server that refuses tokens fresh from its provider would have them redeemed with every call.
REJECTIONS = Limit("remote tokens rejected", 10, 300)
LONGEST_SCOPE = 4_000

# The renewals under way: calls in one process that were refused the same token share one.
Renewals = dict[tuple[int, int], asyncio.Task[Credential]]
_renewals: PerLoop[Renewals] = PerLoop(dict)


def refresh(connection_id: int) -> Outcome:
    """Refresh the connection if it is due and nobody else is at it."""
    lease = leases.take(connection_id)
    return async_to_sync(redeem)(lease) if lease else Outcome.NOT_DUE


async def renew(connection_id: int, rejected_generation: int) -> Credential:
    """What opens the server now that the token of that generation was refused.

    Redeems the refresh token at most once; where somebody else is at it, waits for them. Raises `RemoteError`:
    CONNECTION_ERROR where only connecting again helps, NOT_CONNECTED where the person has disconnected, and UNREACHABLE
    or TIMEOUT where it may work later.
    """
    renewals, key = _renewals(), (connection_id, rejected_generation)
    if key not in renewals:
        renewals[key] = asyncio.create_task(_renewal(*key))
        renewals[key].add_done_callback(lambda _: renewals.pop(key))
    try:
        # Whoever stops waiting does not take along what the provider is about to answer.
        return await asyncio.wait_for(asyncio.shield(renewals[key]), PATIENCE_SECONDS)
    except TimeoutError:
        raise RemoteError(Code.TIMEOUT, "Refreshing the sign-in took too long. Try again in a minute.") from None


async def scope_refused(connection_id: int, scope: str) -> None:
    """Remember a scope that a call was refused for, so that the next sign-in asks for it."""
    await in_domain(_want_scope, connection_id, scope)


async def finish() -> None:
    """Wait for the renewals under way, though nobody else may; for the end of an event loop."""
    await asyncio.gather(*_renewals().values(), return_exceptions=True)


async def _renewal(connection_id: int, rejected_generation: int) -> Credential:
    while True:
        found = await in_domain(_credential_or_lease, connection_id, rejected_generation)
        if isinstance(found, Credential):
            return found
        if found is None:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            await redeem(found)


def _credential_or_lease(connection_id: int, rejected: int) -> Credential | Lease | None:
    """Newer tokens where there are any, else the lease to get them, or None while somebody else has it."""
    row = RemoteConnection.objects.select_related("server").filter(pk=connection_id).first()
    if row is None:
        raise RemoteError(Code.NOT_CONNECTED, "You have disconnected from this server. Connect your account again.")
    if row.status == RemoteConnection.Status.ERROR:
        raise RemoteError(Code.CONNECTION_ERROR, row.error)
    if row.generation != rejected:
        return own(row)
    if lease := leases.take_rejected(connection_id, rejected):
        if wait := REJECTIONS.hit(str(connection_id)):
            lease.mine().update(**settling.FREE, refresh_due_at=row.refresh_due_at, expires_at=row.expires_at)
            raise RemoteError(
                Code.UNAUTHORIZED,
                f"{row.server.name} refuses sign-ins that its provider has only just renewed. It may belong to another "
                "provider than it says; ask those who run it.",
                retry_after=wait,
            )
        return lease
    _say_if_it_waits(row)
    return None


def _say_if_it_waits(row: RemoteConnection) -> None:
    """A refresh that failed is not tried again before its pause is over, whoever asks."""
    waits = RemoteConnection.objects.filter(pk=row.pk, generation=row.generation, lease_until=None, attempts__gt=0)
    due = waits.filter(refresh_due_at__gt=Now()).values_list("refresh_due_at", flat=True).first()
    if due is None:
        return
    if row.server.fault_code == UNKNOWN_CLIENT:
        raise RemoteError(Code.CONNECTION_ERROR, row.server.fault)
    raise RemoteError(
        Code.UNREACHABLE,
        f"The sign-in at {row.server.name} has to be refreshed, and its provider does not do it at the moment. "
        "It is tried again by itself; try the call again in a few minutes.",
        retry_after=max(1.0, (due - timezone.now()).total_seconds()),
    )


def _want_scope(connection_id: int, scope: str) -> None:
    with transaction.atomic():
        row = RemoteConnection.objects.select_for_update().only("wanted_scope").filter(pk=connection_id).first()
        if row is None:
            return
        wanted = " ".join(dict.fromkeys([*row.wanted_scope.split(), *scope.split()]))
        if wanted != row.wanted_scope and len(wanted) <= LONGEST_SCOPE:
            row.wanted_scope = wanted
            row.save(update_fields=["wanted_scope"])
