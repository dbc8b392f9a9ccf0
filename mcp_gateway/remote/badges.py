"""What a server's card says to one person: one of four words, and why."""

from enum import StrEnum

from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.remote import health
from mcp_gateway.remote.problems import Code


class Badge(StrEnum):
    CONNECTED = "Connected"
    CONNECTION_ERROR = "Connection error"
    NOT_CONNECTED = "Not connected"
    DISABLED = "Disabled"


def own_connection(server: RemoteServer) -> RemoteConnection | None:
    """The caller's connection, of a server that came from the services with it."""
    return next(iter(server.own_connections), None)


def badge(server: RemoteServer, connection: RemoteConnection | None) -> Badge:
    if not server.enabled:
        return Badge.DISABLED
    if trouble(server, connection):
        return Badge.CONNECTION_ERROR
    stands = connection is not None if server.needs_sign_in else bool(server.tested_at or server.discovered_at)
    return Badge.CONNECTED if stands else Badge.NOT_CONNECTED


def sign_in_badge(server: RemoteServer, connection: RemoteConnection | None) -> Badge:
    """How the person's sign-in stands at a server that wants one, whether or not the server answers just now."""
    if _sign_in_trouble(server, connection):
        return Badge.CONNECTION_ERROR
    return Badge.NOT_CONNECTED if connection is None else Badge.CONNECTED


def trouble(server: RemoteServer, connection: RemoteConnection | None) -> str:
    """What is wrong, in words for this person; empty where nothing is known to be."""
    if said := _sign_in_trouble(server, connection):
        return said
    if server.needs_sign_in and connection is None:
        return ""
    if lately := health.recent(server):
        return lately.message
    if server.needs_sign_in:
        return ""
    # A server without tools answers as a server does; that it has none is for the tools' list to say.
    return server.test_message if server.test_code not in ("", Code.NO_TOOLS) else ""


def _sign_in_trouble(server: RemoteServer, connection: RemoteConnection | None) -> str:
    if server.fault_code:
        return server.fault or "The server's sign-in does not work. An admin has to look at its settings."
    if server.needs_sign_in and connection is not None and connection.status == RemoteConnection.Status.ERROR:
        return connection.error or "Connect again to go on."
    return ""
