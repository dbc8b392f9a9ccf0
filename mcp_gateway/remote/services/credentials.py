"""What opens a server for whoever asks: the organization's headers, or the person's own connection."""

from mcp_gateway.models import AuthType, RemoteConnection, RemoteServer, Transport
from mcp_gateway.remote import health
from mcp_gateway.remote.badges import own_connection, trouble
from mcp_gateway.remote.problems import Code, Problem
from mcp_gateway.remote.services.configuration import stored_headers
from mcp_gateway.remote.targets import Credential, Target


def target_of(server: RemoteServer, *, even_disabled: bool = False) -> Target | Problem:
    """Of a server with the caller's connection at hand: where to connect, or why it cannot be used."""
    if not server.enabled and not even_disabled:
        return _problem(server, Code.DISABLED, "This server is disabled. An admin can enable it.")
    if not server.needs_sign_in:
        return _target(server, _shared(server))
    connection = own_connection(server)
    if connection is None:
        said = f"You are not connected to {server.name}. Connect your account."
        return _problem(server, Code.NOT_CONNECTED, said, connects=True)
    if connection.status == RemoteConnection.Status.ERROR:
        # A fault of the server's own settings is for an admin to fix.
        connects = not server.fault_code
        return _problem(server, Code.CONNECTION_ERROR, trouble(server, connection), connects=connects)
    return _target(server, own(connection))


def _shared(server: RemoteServer) -> Credential:
    headers = stored_headers(server) if server.auth_type == AuthType.API_KEY else {}
    return Credential(key=f"server:{server.pk}:{server.revision}", headers=headers)


def own(connection: RemoteConnection) -> Credential:
    """What a person's connection opens the server with."""
    return Credential(
        key=f"connection:{connection.pk}:{connection.generation}",
        headers={"Authorization": f"Bearer {connection.access_token}"},
        connection_id=connection.pk,
        generation=connection.generation,
    )


def _target(server: RemoteServer, credential: Credential) -> Target:
    return Target(
        server_id=server.pk,
        name=server.name,
        slug=server.slug,
        url=server.url,
        transport=Transport(server.transport),
        credential=credential,
        revision=server.revision,
        failing=health.is_failing(server),
    )


def _problem(server: RemoteServer, code: Code, message: str, *, connects: bool = False) -> Problem:
    return Problem(server.pk, server.name, code, message, connects)
