"""Each person's own connections: begun, finished and ended by themselves alone, and seen by nobody else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound, Throttled
from accounts.scopes import Scope
from accounts.services.organizations import organization_of
from dashboard.numbered_pages import NumberedPage, numbered
from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.badges import Badge, sign_in_badge
from mcp_gateway.remote.oauth import beginning, finishing
from mcp_gateway.remote.oauth.finishing import SignedIn
from mcp_gateway.remote.oauth.revocation import revoke
from security import audit
from security.throttle import Limit

# Each asks servers and providers that somebody else named, and may register a client there.
PACE = Limit("remote sign-ins", 30, 600)
SECRETS = ("provider", "access_token", "refresh_token")


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A connection that is gone here; `revoked` says whether its provider took back what it gave."""

    server_id: int
    server_name: str
    revoked: bool


def list_for(
    caller: Caller, *, organization_id: UUID | None = None, page: int = 1, page_size: int = 25
) -> NumberedPage[RemoteConnection]:
    """The caller's own connections by their servers' names, without their secrets."""
    caller.require(Scope.READ)
    mine = RemoteConnection.objects.for_caller(caller).defer(*SECRETS)
    mine = mine.select_related("server__organization", "server__health")
    if organization_id is not None:
        mine = mine.filter(server__organization=organization_of(caller, organization_id))
    return numbered(mine, order=("server__name", "id"), number=page, size=page_size)


def status_of(caller: Caller, servers: Iterable[RemoteServer]) -> dict[int, Badge]:
    """How the caller's sign-in stands at each of the servers, which want one, by the server's id."""
    caller.require(Scope.READ)
    shown = list(servers)
    mine = RemoteConnection.objects.for_caller(caller).filter(server__in=shown).defer(*SECRETS)
    connections = {connection.server_id: connection for connection in mine}
    return {server.pk: sign_in_badge(server, connections.get(server.pk)) for server in shown}


async def start(
    caller: Caller, server_id: int, *, session_digest: bytes, return_to: str = "", wider_scope: str = ""
) -> str:
    """Begin a sign-in: where to send the caller's browser, in whose session it has to come back.

    `session_digest` is of a secret in that session; `return_to` a path of ours to go back to in the end. Raises
    `SignInFailed` or `Unavailable` where the server or its provider does not let it begin.
    """
    server = await in_domain(_server_to_sign_in_to, caller, server_id)
    return await beginning.begin(
        server, caller, session_digest=session_digest, return_to=return_to, wider_scope=wider_scope
    )


async def finish(caller: Caller, query: Mapping[str, str], *, session_digest: bytes) -> SignedIn:
    """End the sign-in with which the caller's browser came back. Raises `SignInFailed` or `Unavailable`."""
    caller.require(Scope.WRITE)
    return await finishing.finish(query, caller=caller, session_digest=session_digest)


async def disconnect(caller: Caller, server_id: int) -> Disconnected:
    """Delete the caller's connection, then tell the provider, so that nothing is left to use if it does not answer."""
    connection = await in_domain(_delete, caller, server_id)
    return Disconnected(server_id, connection.server.name, await revoke(connection))


def _server_to_sign_in_to(caller: Caller, server_id: int) -> RemoteServer:
    caller.require(Scope.WRITE)
    server = RemoteServer.objects.for_caller(caller).filter(pk=server_id).first()
    if server is None:
        raise NotFound("There is no such server in your organizations. It may have been deleted.")
    if not server.needs_sign_in:
        raise Conflict("Nobody signs in to this server: the organization's own access is used.", code="no_sign_in")
    if not server.enabled:
        raise Conflict("This server is disabled. An admin can enable it.", code="disabled")
    if wait := PACE.hit(str(caller.user_id)):
        raise Throttled("That was tried very often. Wait a few minutes.", data={"retry_after": wait})
    return server


def _delete(caller: Caller, server_id: int) -> RemoteConnection:
    caller.require(Scope.WRITE)
    mine = RemoteConnection.objects.for_caller(caller).select_related("server").filter(server_id=server_id)
    with transaction.atomic():
        connection = mine.select_for_update(of=("self",)).first()
        if connection is None:
            raise NotFound("You are not connected to this server. You may have disconnected already.")
        RemoteConnection.objects.filter(pk=connection.pk).delete()
        audit.record("remote_connection.disconnect", caller=caller, target=f"remote_server:{server_id}")
    return connection
