"""The REST routes of remote servers, and the tools they share, which no MCP endpoint lists."""

from asgiref.sync import async_to_sync

from accounts.caller import Caller
from accounts.scopes import Scope
from mcp_gateway.registry import registry
from mcp_gateway.remote import catalogue
from mcp_gateway.remote.answers import (
    Catalogue,
    EditedServerShape,
    ExampleShape,
    RemoteCallPage,
    RemoteCallShape,
    RemoteServerPage,
    RemoteServerShape,
    RemoteToolPage,
    RemoteToolShape,
    ReportShape,
    ServerHealthShape,
)
from mcp_gateway.remote.services import calls, servers, testing, tools
from mcp_gateway.remote.shapes import (
    AcceptChange,
    AddExample,
    CreateServer,
    ListCalls,
    ListServers,
    ListTools,
    OneServer,
    ServerDraft,
    ServersCatalogue,
    SetToolPolicy,
    UpdateServer,
)
from mcp_gateway.rest.routes import REST_ONLY, remote_api
from mcp_gateway.shapes import Nothing

SERVER, TOOL = "servers/{serverId}", "servers/{serverId}/tools/{toolId}"


@registry.tool("remoteServersList", server=REST_ONLY, scope=Scope.READ, title="List remote servers", read_only=True)
def list_servers(caller: Caller, arguments: ListServers) -> RemoteServerPage:
    """List remote MCP servers of one organization, or of all that you belong to, each with your own status."""
    page = servers.list_servers(caller, **dict(arguments))
    return RemoteServerPage(
        items=[RemoteServerShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("remoteServersCreate", server=REST_ONLY, scope=Scope.ADMIN, title="Add a remote server")
def create_server(caller: Caller, arguments: CreateServer) -> RemoteServerShape:
    """Add a remote MCP server to an organization, for its admins.

    authType decides what else is needed: api_key needs headers; oauth needs clientId with the clientMode
    known_credentials, and nothing with dynamic and cimd. Secrets are stored and never shown again.
    """
    return RemoteServerShape.of(servers.create_server(caller, server=arguments))


@registry.tool("remoteServerGet", server=REST_ONLY, scope=Scope.READ, title="Get a remote server", read_only=True)
def get_server(caller: Caller, arguments: OneServer) -> RemoteServerShape:
    """Fetch one remote server by its id, with your own status."""
    return RemoteServerShape.of(servers.find_server(caller, server_id=arguments.server_id))


@registry.tool(
    "remoteServerUpdate", server=REST_ONLY, scope=Scope.ADMIN, title="Change a remote server", destructive=True
)
def update_server(caller: Caller, arguments: UpdateServer) -> EditedServerShape:
    """Change a remote server, for admins: fields left out stay as they are.

    Headers are sent whole; one with the value [REDACTED] keeps what is stored. Where the address leads to another
    scheme, host or port, stored secrets are dropped and named in droppedSecrets, and people connect anew.
    """
    return EditedServerShape.after(servers.update_server(caller, change=arguments))


@registry.tool(
    "remoteServerDelete", server=REST_ONLY, scope=Scope.ADMIN, title="Delete a remote server", destructive=True
)
def delete_server(caller: Caller, arguments: OneServer) -> Nothing:
    """Delete a remote server with everybody's connections to it, for admins. This cannot be undone."""
    servers.delete_server(caller, server_id=arguments.server_id)
    return Nothing()


@registry.tool(
    "remoteServerTest",
    server=REST_ONLY,
    scope=Scope.WRITE,
    title="Test a remote server",
    calls_out=True,
    idempotent=True,
)
def test_server(caller: Caller, arguments: OneServer) -> ReportShape:
    """Connect to a saved server once and say how many tools were discovered, or what went wrong."""
    return ReportShape.of(async_to_sync(testing.test_server)(caller, server_id=arguments.server_id))


@registry.tool(
    "remoteServersTest",
    server=REST_ONLY,
    scope=Scope.ADMIN,
    title="Test settings before saving them",
    calls_out=True,
    idempotent=True,
)
def test_configuration(caller: Caller, arguments: ServerDraft) -> ReportShape:
    """Connect once with settings that are not saved, for admins. Nobody's sign-in is used.

    With serverId they are changes of that server: what is left out, and headers with the value [REDACTED], are its own.
    """
    return ReportShape.of(async_to_sync(testing.test_configuration)(caller, draft=arguments))


@registry.tool("remoteServerTools", server=REST_ONLY, scope=Scope.READ, title="List a server's tools", read_only=True)
def list_tools(caller: Caller, arguments: ListTools) -> RemoteToolPage:
    """List the tools that a remote server was last seen with, and what admins decided about each."""
    page = tools.list_tools(caller, **dict(arguments))
    return RemoteToolPage(
        items=[RemoteToolShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("remoteToolUpdate", server=REST_ONLY, scope=Scope.ADMIN, title="Decide about a server's tool")
def set_tool_policy(caller: Caller, arguments: SetToolPolicy) -> RemoteToolShape:
    """Switch a tool on or off, or have somebody asked before each use, for admins."""
    return RemoteToolShape.of(tools.set_tool_policy(caller, **dict(arguments)))


@registry.tool("remoteToolAccept", server=REST_ONLY, scope=Scope.ADMIN, title="Accept a changed tool")
def accept_change(caller: Caller, arguments: AcceptChange) -> RemoteToolShape:
    """Accept a tool as it is described by now, for admins. A tool that changed again since is a 409."""
    return RemoteToolShape.of(tools.accept_change(caller, **dict(arguments)))


@registry.tool("remoteServerCalls", server=REST_ONLY, scope=Scope.READ, title="List recent calls", read_only=True)
def list_calls(caller: Caller, arguments: ListCalls) -> RemoteCallPage:
    """List everybody's calls of a remote server in the last month, the newest first, without what was said."""
    page = calls.recent_calls(caller, **dict(arguments))
    return RemoteCallPage(
        items=[RemoteCallShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("remoteServerHealth", server=REST_ONLY, scope=Scope.READ, title="Get a server's health", read_only=True)
def get_health(caller: Caller, arguments: OneServer) -> ServerHealthShape:
    """Say how many calls a remote server got, how many failed, how long they took, and when one last succeeded."""
    return ServerHealthShape.of(calls.health(caller, server_id=arguments.server_id))


@registry.tool("remoteCatalogue", server=REST_ONLY, scope=Scope.READ, title="List public servers", read_only=True)
def list_catalogue(caller: Caller, arguments: ServersCatalogue) -> Catalogue:
    """List public remote servers that the organization does not have yet."""
    found = catalogue.examples(caller, organization_id=arguments.organization_id)
    return Catalogue(items=[ExampleShape.of(example) for example in found])


@registry.tool("remoteCatalogueAdd", server=REST_ONLY, scope=Scope.ADMIN, title="Add a public server")
def add_example(caller: Caller, arguments: AddExample) -> RemoteServerShape:
    """Add a server of the catalogue to an organization, for admins."""
    added = catalogue.add_example(caller, organization_id=arguments.organization_id, slug=arguments.slug)
    return RemoteServerShape.of(added)


remote_api.add("GET", "servers", "remoteServersList", server=REST_ONLY)
remote_api.add("POST", "servers", "remoteServersCreate", server=REST_ONLY)
remote_api.add("POST", "servers/test", "remoteServersTest", server=REST_ONLY, keeps_answer=False)
remote_api.add("GET", SERVER, "remoteServerGet", server=REST_ONLY)
remote_api.add("PATCH", SERVER, "remoteServerUpdate", server=REST_ONLY)
remote_api.add("DELETE", SERVER, "remoteServerDelete", server=REST_ONLY)
remote_api.add("POST", f"{SERVER}/test", "remoteServerTest", server=REST_ONLY, keeps_answer=False)
remote_api.add("GET", f"{SERVER}/calls", "remoteServerCalls", server=REST_ONLY)
remote_api.add("GET", f"{SERVER}/health", "remoteServerHealth", server=REST_ONLY)
remote_api.add("GET", f"{SERVER}/tools", "remoteServerTools", server=REST_ONLY)
remote_api.add("PATCH", TOOL, "remoteToolUpdate", server=REST_ONLY)
remote_api.add("POST", f"{TOOL}/accept", "remoteToolAccept", server=REST_ONLY)
remote_api.add("GET", "catalogue", "remoteCatalogue", server=REST_ONLY)
remote_api.add("POST", "catalogue", "remoteCatalogueAdd", server=REST_ONLY)
