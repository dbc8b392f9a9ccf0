"""How a refresh ends: the new tokens kept, put off, or the connection or its server in error. One transaction each.

Whoever settles still holds the lease, or nothing is written: then somebody else has taken over, or stored newer tokens.
Only new tokens are kept without the lease, by the generation alone: they exist, and nobody has newer ones.
"""

import json
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.caller import Caller
from mcp_gateway.models import RemoteClient, RemoteConnection, RemoteServer
from mcp_gateway.remote.leases import Lease
from mcp_gateway.remote.lifetimes import in_seconds, schedule
from mcp_gateway.remote.oauth.tokens import TokenAnswer
from security import audit
from security.fields import EncryptedTextField, Sealed

Status = RemoteConnection.Status

# How it stands with a connection or a server, as its `error_code` or `fault_code` says it.
UNKNOWN_CLIENT = "invalid_client"

FREE = {"lease_until": None, "lease_holder": None}
WELL = {"status": Status.CONNECTED, "error_code": "", "error": "", "owner_told_at": None, "attempts": 0}


def store(connection: RemoteConnection, answer: TokenAnswer, generation: int) -> bool:
    """Keep what the provider gave, unless other tokens were stored since `generation`: whether it was kept.

    A provider that gives no new refresh token keeps the old one valid (RFC 6749 section 6).
    """
    changes: dict[str, Any] = {"access_token": _sealed(connection, "access_token", answer.access_token)}
    if answer.refresh_token:
        changes["refresh_token"] = _sealed(connection, "refresh_token", answer.refresh_token)
    if answer.scope:
        changes["scope"] = answer.scope
    refreshable = bool(answer.refresh_token or connection.refresh_token)
    changes |= schedule(answer.expires_in, refreshable=refreshable)
    changes |= {"generation": generation + 1, "refreshed_at": Now()} | FREE | WELL
    row = RemoteConnection.objects.filter(pk=connection.pk, generation=generation)
    with transaction.atomic():
        # Its client is known after all. First the server, then the connection, as whoever edits a server locks them.
        RemoteServer.objects.filter(pk=connection.server_id, fault_code=UNKNOWN_CLIENT).update(fault_code="", fault="")
        was_in_error = row.filter(status=Status.ERROR).exists()
        if not row.update(**changes):
            return False
        if was_in_error:
            _record("remote_connection.recovered", connection)
    return True


def postpone(lease: Lease, seconds: float, *, code: str, error: str, lasting: bool = False) -> bool:
    """Try again after so long; whether the lease was still held.

    What has expired and was tried often enough is flagged with `error`. It is tried on, and is well again when that
    works, unless the failure is a `lasting` one: then it has ended, and its owner is told.
    """
    with transaction.atomic():
        changes = {"attempts": F("attempts") + 1, "refresh_due_at": in_seconds(seconds)} | FREE
        if not lease.mine().update(**changes):
            return False
        worn_out = RemoteConnection.objects.filter(
            pk=lease.connection.pk,
            generation=lease.generation,
            status=Status.CONNECTED,
            attempts__gte=settings.MCP_REMOTE_REFRESH_ATTEMPTS,
            expires_at__lte=Now(),
        )
        flagged: dict[str, Any] = {"status": Status.ERROR, "error_code": code[:60], "error": error[:500]}
        if lasting:
            flagged["refresh_due_at"] = None
        if worn_out.update(**flagged):
            _record("remote_connection.failed", lease.connection, code)
    return True


def leave_for(lease: Lease, seconds: float) -> bool:
    """Come back after so long, for a reason that is not the connection's; whether the lease was still held."""
    changes = {"attempts": F("attempts") + 1, "refresh_due_at": in_seconds(seconds)} | FREE
    return bool(lease.mine().update(**changes))


def end(lease: Lease, *, code: str, error: str) -> bool:
    """The connection cannot be refreshed any more, and its owner is to be told; whether the lease was still held."""
    with transaction.atomic():
        changes = {"status": Status.ERROR, "error_code": code[:60], "error": error[:500], "refresh_due_at": None}
        if not lease.mine().update(**changes, **FREE):
            return False
        _record("remote_connection.failed", lease.connection, code)
    return True


def blame_server(server: RemoteServer, *, code: str, fault: str) -> None:
    """What is wrong is the server's settings: its admins see it, once for however many connections meet it."""
    with transaction.atomic():
        if RemoteServer.objects.filter(~Q(fault_code=code), pk=server.pk).update(fault_code=code, fault=fault[:500]):
            audit.record("remote_server.fault", caller=None, target=f"remote_server:{server.pk}", detail={"code": code})


def forget_registration(connection: RemoteConnection, client_id: str) -> None:
    """Drop a client that its provider no longer knows, so that the next sign-in registers another."""
    for client in RemoteClient.objects.filter(server_id=connection.server_id, issuer=connection.issuer):
        if json.loads(client.registration).get("client_id") == client_id:
            client.delete()


def try_again_soon(server_id: int) -> int:
    """The server's settings were fixed: its connections that wait after a failure are due; how many they are."""
    waiting = RemoteConnection.objects.filter(server_id=server_id, attempts__gt=0, refresh_due_at__isnull=False)
    return waiting.update(attempts=0, refresh_due_at=Now())


def _record(action: str, connection: RemoteConnection, code: str = "") -> None:
    audit.record(
        action,
        caller=Caller.system(connection.user_id),
        outcome=audit.Outcome.ERROR if code else audit.Outcome.OK,
        error_code=code,
        target=f"remote_connection:{connection.pk}",
        detail={"server": connection.server_id},
    )


def _sealed(connection: RemoteConnection, name: str, text: str) -> Sealed:
    field = RemoteConnection._meta.get_field(name)
    assert isinstance(field, EncryptedTextField)
    return field.seal(text, connection)
