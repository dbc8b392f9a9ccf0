"""The REST routes of using remote servers: a person's own connections, and calling one tool."""

from asgiref.sync import async_to_sync

from accounts.caller import Caller
from accounts.scopes import Scope
from mcp_gateway.registry import registry
from mcp_gateway.remote.answers_of_use import CallAnswer, Disconnection, RemoteConnectionPage, RemoteConnectionShape
from mcp_gateway.remote.services import connections, trying
from mcp_gateway.remote.shapes import CallTool, ListConnections, OneServer
from mcp_gateway.rest.routes import REST_ONLY, remote_api


@registry.tool(
    "remoteConnectionsList", server=REST_ONLY, scope=Scope.READ, title="List your connections", read_only=True
)
def list_connections(caller: Caller, arguments: ListConnections) -> RemoteConnectionPage:
    """List your own connections to remote servers where people sign in. Nobody else's are shown, and no tokens.

    A connection begins in a browser: at the connectUrl of its server.
    """
    page = connections.list_for(caller, **dict(arguments))
    return RemoteConnectionPage(
        items=[RemoteConnectionShape.of(row) for row in page.rows],
        page=page.number,
        page_size=page.size,
        total=page.total,
    )


@registry.tool(
    "remoteConnectionDelete",
    server=REST_ONLY,
    scope=Scope.WRITE,
    title="Disconnect from a server",
    destructive=True,
    calls_out=True,
)
def disconnect(caller: Caller, arguments: OneServer) -> Disconnection:
    """Delete your connection to a remote server, and revoke it at its provider where that is offered."""
    ended = async_to_sync(connections.disconnect)(caller, arguments.server_id)
    return Disconnection(revoked=ended.revoked)


@registry.tool(
    "remoteToolCall",
    server=REST_ONLY,
    scope=Scope.WRITE,
    title="Call a server's tool",
    destructive=True,
    calls_out=True,
)
def call_tool(caller: Caller, arguments: CallTool) -> CallAnswer:
    """Call one tool of a remote server, with your own connection where people sign in.

    What the tool reports as its own failure is a result with isError. A server that cannot be asked is a 503, and one
    that you first have to connect to a 409.
    """
    return CallAnswer.of(async_to_sync(trying.call_tool)(caller, **dict(arguments)))


remote_api.add("GET", "connections", "remoteConnectionsList", server=REST_ONLY)
remote_api.add("DELETE", "connections/{serverId}", "remoteConnectionDelete", server=REST_ONLY)
remote_api.add("POST", "servers/{serverId}/tools/{toolId}/call", "remoteToolCall", server=REST_ONLY, keeps_answer=False)
