"""What an agent would need to use its servers and this person does not have, before anything is asked."""

from dataclasses import dataclass
from datetime import datetime

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.models import Agent
from agents_hub.services.agent_servers import assigned_ids
from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.remote import health
from mcp_gateway.remote.badges import Badge, badge, own_connection, trouble
from mcp_gateway.remote.services import servers


@dataclass(frozen=True, slots=True)
class Lack:
    """A server that cannot be used as things are. `connects` where the person fixes it by connecting their account.

    `since` is when it was last found so where it was used; it may be well again, and the next answer finds out.
    """

    server_id: int
    server_name: str
    said: str
    connects: bool
    since: datetime | None = None


def lacks_of(caller: Caller, agent: Agent) -> list[Lack]:
    """Of the agent's servers those that cannot be used by this caller now, as far as is known without asking them."""
    caller.require(Scope.READ)
    ids = assigned_ids(agent.pk)
    if not ids:
        return []
    found = servers.shown(caller, RemoteServer.objects.for_caller(caller).filter(pk__in=ids)).order_by("name", "pk")
    return [lack for server in found if (lack := _lack(server)) is not None]


def _lack(server: RemoteServer) -> Lack | None:
    connection = own_connection(server)
    match badge(server, connection):
        case Badge.DISABLED:
            return Lack(server.pk, server.name, "It is disabled. An admin can enable it.", connects=False)
        case Badge.CONNECTION_ERROR:
            return _broken(server, connection)
        case Badge.NOT_CONNECTED if server.needs_sign_in:
            return Lack(server.pk, server.name, "You have not connected your account to it yet.", connects=True)
    if connection is not None and connection.wanted_scope:
        said = "A tool was refused because your connection lacks a permission it needs."
        return Lack(server.pk, server.name, said, connects=True)
    return None


def _broken(server: RemoteServer, connection: RemoteConnection | None) -> Lack:
    said = trouble(server, connection)
    is_own = connection is not None and connection.status == RemoteConnection.Status.ERROR
    if server.fault_code or is_own:
        return Lack(server.pk, server.name, said, connects=is_own)
    lately = health.recent(server)
    return Lack(server.pk, server.name, said, connects=False, since=lately.failed_at if lately else None)
