"""Demo data: one remote MCP server that answers without the internet, because it is this platform's own for bots."""

from django.conf import settings

from accounts.caller import Caller, Door
from accounts.models import Organization, User
from accounts.scopes import Scope
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.services import servers
from mcp_gateway.remote.shapes import CreateServer

NAME = "Asterism bots"


def fill(owner: User, key: str) -> RemoteServer | None:
    """The server, opened by the owner's API key, where their organization has none. Returns it if it was made."""
    caller = Caller(user_id=owner.pk, scope=Scope.ADMIN, door=Door.COMMAND)
    organization = Organization.objects.for_caller(caller).order_by("pk").first()
    if organization is None or RemoteServer.objects.filter(organization=organization).exists():
        return None
    if not settings.OUTBOUND_ALLOW_LOCAL:  # in production the platform's own address may be refused
        return None
    return servers.create_server(
        caller,
        server=CreateServer(
            organization_id=organization.uid,
            name=NAME,
            url=f"{settings.PUBLIC_URL}/api/mcp-server",
            auth_type="api_key",
            headers={"Authorization": f"Bearer {key}"},
        ),
    )
