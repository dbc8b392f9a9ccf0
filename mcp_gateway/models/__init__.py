"""The gateway's rows.

Of our sign-in: clients, codes, tokens, connections. Of remote servers: the servers, their tools, each person's
connection, calls. Besides: passages of the guides, and kept answers.
"""

from mcp_gateway.models.answers import KeptAnswer
from mcp_gateway.models.oauth import (
    AccessToken,
    Application,
    Connection,
    DeviceGrant,
    Grant,
    IDToken,
    RefreshToken,
)
from mcp_gateway.models.passages import Passage
from mcp_gateway.models.remote_calls import RemoteCall
from mcp_gateway.models.remote_connections import RemoteClient, RemoteConnection, RemoteIssuer, RemoteSignIn
from mcp_gateway.models.remote_servers import AuthType, ClientMode, RemoteHealth, RemoteServer, RemoteTool, Transport

__all__ = [
    "AccessToken",
    "Application",
    "AuthType",
    "ClientMode",
    "Connection",
    "DeviceGrant",
    "Grant",
    "IDToken",
    "KeptAnswer",
    "Passage",
    "RefreshToken",
    "RemoteCall",
    "RemoteClient",
    "RemoteConnection",
    "RemoteHealth",
    "RemoteIssuer",
    "RemoteServer",
    "RemoteSignIn",
    "RemoteTool",
    "Transport",
]
