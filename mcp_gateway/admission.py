"""Who may come in, decided by the headers before the body is read; and the body, no longer than it may be."""

import math
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from accounts.services.keys import VerifiedKey
from mcp_gateway.keyring import KeyRing
from mcp_gateway.limits import RequestLimit
from mcp_gateway.refusals import Receive, Refusal
from security.client_ip import counted_as

REALM = 'Bearer realm="asterism"'
# A body this small is in the socket's buffer anyway; after refusing it the connection can be kept.
SMALL_BODY_BYTES = 16_384

_counted_as = lru_cache(maxsize=4096)(counted_as)

Headers = Mapping[str, str]


def check_method(method: str) -> None:
    """Only POST: there is no session whose stream a GET could open or a DELETE could end."""
    if method != "POST":
        raise Refusal(405, "method_not_allowed", "Send each JSON-RPC message as a POST.", allow="POST")


def check_origin(headers: Headers) -> None:
    """Refuse what a browser was tricked into sending: a host that is not ours, or a page of somebody else."""
    host = headers.get("host", "")
    if not _is_ours(host, tuple(settings.ALLOWED_HOSTS)):
        raise Refusal(403, "host_not_allowed", "This host name is not served here; see ALLOWED_HOSTS.")
    origin = headers.get("origin")
    if origin is None or origin in settings.MCP_ALLOWED_ORIGINS:
        return
    if urlsplit(origin).netloc != host:
        raise Refusal(403, "origin_not_allowed", "Pages of this origin may not call; see MCP_ALLOWED_ORIGINS.")


@lru_cache(maxsize=1024)
def _is_ours(host: str, allowed: tuple[str, ...]) -> bool:
    return validate_host(split_domain_port(host)[0], allowed)


async def check_rate(limit: RequestLimit, address: str) -> None:
    """Count the request for its address, whether or not its key turns out to be good."""
    wait = await limit.hit(_counted_as(address))
    if wait is not None:
        seconds = str(math.ceil(wait))
        raise Refusal(
            429,
            "rate_limited",
            f"More than {limit.per_minute} requests in a minute from one address. Try again in {seconds} seconds.",
            retry_after=seconds,
        )


async def check_key(keys: KeyRing, headers: Headers) -> VerifiedKey:
    """The API key in the Authorization header."""
    authorization = headers.get("authorization")
    if authorization is None:
        raise _unauthorized("Send an API key as `Authorization: Bearer wiz_…`.")
    kind, _, text = authorization.partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise _unauthorized("The Authorization header is not of the form `Bearer wiz_…`.", "invalid_request")
    key = await keys.verify(text.strip())
    if key is None:
        raise _unauthorized(
            "This API key is not valid: it is mistyped, unknown, expired or revoked, or its person was deactivated.",
            "invalid_token",
        )
    return key


def _unauthorized(problem: str, error: str = "") -> Refusal:
    challenge = f'{REALM}, error="{error}"' if error else REALM
    where = f"{settings.PUBLIC_URL}/dashboard/settings"
    return Refusal(401, "unauthorized", f"{problem} Keys are made at {where}.", www_authenticate=challenge)


def check_body_headers(headers: Headers) -> None:
    """Refuse by what the headers say of the body: not JSON, encoded, or declared too long."""
    kind, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.lower().replace(" ", "").removeprefix("charset=").strip('"')
    if kind.strip().lower() != "application/json" or charset not in {"", "utf-8"}:
        raise Refusal(415, "unsupported_media_type", "Send JSON in UTF-8 with `Content-Type: application/json`.")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal(415, "unsupported_encoding", "Send the body without Content-Encoding.")
    if declared_length(headers) > settings.MCP_SERVER_MAX_BODY_BYTES:
        raise _too_large()


async def read_body(receive: Receive) -> bytes:
    """The body, given up as soon as it passes the limit; what is left of it stays unread."""
    parts: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionResetError("The client left before its request was whole.")
        part: bytes = message.get("body", b"")
        length += len(part)
        if length > settings.MCP_SERVER_MAX_BODY_BYTES:
            raise _too_large()
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def declared_length(headers: Headers) -> int:
    try:
        return int(headers.get("content-length", "0"))
    except ValueError:
        return 0


def leaves_unread(headers: Headers) -> bool:
    """Whether a refusal would leave a body behind that is long, or of a length nobody declared."""
    return "transfer-encoding" in headers or declared_length(headers) > SMALL_BODY_BYTES


def _too_large() -> Refusal:
    return Refusal(
        413, "too_large", f"The body is longer than {settings.MCP_SERVER_MAX_BODY_BYTES:,} bytes. Send less at a time."
    )
