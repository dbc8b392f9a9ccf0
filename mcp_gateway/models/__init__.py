"""The gateway's rows: our sign-in's clients, codes, tokens and connections; passages of the guides; kept answers."""

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

__all__ = [
    "AccessToken",
    "Application",
    "Connection",
    "DeviceGrant",
    "Grant",
    "IDToken",
    "KeptAnswer",
    "Passage",
    "RefreshToken",
]
