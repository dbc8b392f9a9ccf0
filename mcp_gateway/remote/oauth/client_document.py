"""Ourselves as a client: where people come back to, what we say when we register, and the document about us (CIMD)."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from mcp_gateway.remote.oauth.provider import AuthMethod

CALLBACK_PATH = "/api/mcp/oauth/callback"
DOCUMENT_PATH = "/api/mcp/oauth/client.json"
NAME = "Asterism"


def callback_url() -> str:
    """Where providers send people back to: what an admin whitelists, character by character."""
    return f"{settings.PUBLIC_URL}{CALLBACK_PATH}"


def document_url() -> str:
    """Our client id where a provider takes the address of a document for one."""
    return str(settings.MCP_REMOTE_CLIENT_DOCUMENT_URL or f"{settings.PUBLIC_URL}{DOCUMENT_PATH}")


def description(auth_method: AuthMethod, scope: str = "") -> dict[str, Any]:
    """What we are, in the words of RFC 7591 section 2."""
    # OpenID's registration allows plain http on this machine to native clients alone.
    on_this_machine = urlsplit(settings.PUBLIC_URL).scheme == "http"
    described: dict[str, Any] = {
        "client_name": NAME,
        "client_uri": settings.PUBLIC_URL,
        "redirect_uris": [callback_url()],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": auth_method,
        "application_type": "native" if on_this_machine else "web",
    }
    return described | ({"scope": scope} if scope else {})


def document() -> dict[str, Any]:
    """The document that our client id leads to. It is public, and so are we as a client: there is no secret."""
    return {"client_id": document_url(), **description("none")}
