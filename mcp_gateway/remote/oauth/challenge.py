"""What a server that lets nobody in says about it: the Bearer challenge of its 401 or 403 (RFC 6750, RFC 9728)."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2
from django.conf import settings
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CLIENT_INFO_META_KEY, PROTOCOL_VERSION_META_KEY
from mcp_types.version import LATEST_MODERN_VERSION

from mcp_gateway.models import Transport
from mcp_gateway.remote.oauth import wire
from mcp_gateway.remote.oauth.errors import unreachable
from security import outbound

# RFC 9110 section 11.2: a parameter, or the name of a scheme.
PART = re.compile(
    r"""[\s,]*(?:(?P<name>[\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))"""
    r"""|(?P<scheme>[\w!#$%&'*+.^`|~-]+))"""
)
REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Challenge:
    """Where the server describes itself, and the scope it wants; empty where it does not say. `status` is of its
    answer."""

    resource_metadata: str = ""
    scope: str = ""
    status: int = 401


def read(header: str, status: int = 401) -> Challenge:
    """The Bearer challenge in a WWW-Authenticate header, among whatever other schemes are offered."""
    found: dict[str, str] = {}
    scheme = ""
    position = 0
    while part := PART.match(header, position):
        position = part.end()
        if part["scheme"]:
            scheme = part["scheme"].lower()
        elif scheme == "bearer":
            value = part["bare"] if part["quoted"] is None else re.sub(r"\\(.)", r"\1", part["quoted"])
            found.setdefault(part["name"].lower(), value)
    return Challenge(found.get("resource_metadata", ""), " ".join(found.get("scope", "").split()), status)


async def ask(url: str, transport: str) -> Challenge:
    """The challenge of the server, asked as nobody. Raises `SignInFailed` or `Unavailable`."""
    try:
        async with (
            outbound.async_client(wire.BOUNDS, redirects=REDIRECTS) as client,
            client.stream(**_request(url, transport)) as answer,
        ):
            # Whatever else it has to say is not waited for: it may be an endless stream.
            return read(answer.headers.get("WWW-Authenticate", ""), answer.status_code)
    except httpx2.HTTPError as error:
        raise unreachable("The server", error) from error


def _request(url: str, transport: str) -> dict[str, Any]:
    """A question that only those may ask who are signed in. The handshake is open to everybody at some servers."""
    if transport == Transport.SSE:
        return {"method": "GET", "url": url, "headers": {"Accept": "text/event-stream"}}
    meta = {
        PROTOCOL_VERSION_META_KEY: LATEST_MODERN_VERSION,
        CLIENT_INFO_META_KEY: {"name": "asterism", "version": settings.VERSION},
        CLIENT_CAPABILITIES_META_KEY: {},
    }
    return {
        "method": "POST",
        "url": url,
        "json": {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}},
        "headers": {
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": LATEST_MODERN_VERSION,
            "Mcp-Method": "tools/list",
        },
    }
