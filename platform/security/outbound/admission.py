"""What a request must look like to be sent, also when it follows a redirect.

httpx2 drops Authorization and cookies when a redirect leaves the origin, and keeps every other header and the body. A
key in a header of its own name or in a token request would travel along; so only headers that are nobody's secret go to
another origin, bodies do not, and nothing that began encrypted goes on in the clear.
"""

import re
import time

import httpx2

from security.outbound import urls
from security.outbound.body import CODINGS
from security.outbound.clock import Clock
from security.outbound.policy import Bounds, Policy
from security.outbound.refusal import OutboundRefused

# Carried from a request to the one that follows its redirect, by httpx2.
DEADLINE, ORIGIN = "outbound_deadline", "outbound_origin"

# Extensions of httpx2 that would change which name is shown or checked, or where the request goes.
CLOSED_EXTENSIONS = ("sni_hostname", "target")
# Headers that are for one connection or its proxies, and change what follows on the wire.
CLOSED_HEADERS = frozenset({"upgrade", "te", "trailer", "keep-alive", "proxy-authorization", "proxy-connection"})
HARMLESS_HEADERS = frozenset(
    {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "mcp-protocol-version",
    }
)
LINE_BREAK = re.compile(rb"[\r\n\0]")


def admit(request: httpx2.Request, policy: Policy, bounds: Bounds) -> Clock:
    """Make the request fit to be sent, or refuse it; the clock it runs by."""
    urls.judge(request.url, policy)
    if request.method.upper() == "CONNECT":
        raise OutboundRefused("A tunnel is not a request that can be made.")
    if any(extension in request.extensions for extension in CLOSED_EXTENSIONS):
        raise OutboundRefused("A request cannot be made in the name of another server.")
    _follow(request)
    _check_headers(request)
    request.headers["Accept-Encoding"] = CODINGS
    if bounds.total is None:
        return Clock(None)
    return Clock(request.extensions.setdefault(DEADLINE, time.monotonic() + bounds.total))


def _follow(request: httpx2.Request) -> None:
    """Hold a redirect's request to the rules, by the origin that the request before it had."""
    request.extensions = dict(request.extensions)
    url = request.url
    origin = (url.scheme, urls.host_of(url), urls.port_of(url))
    came_from = request.extensions.get(ORIGIN, origin)
    request.extensions[ORIGIN] = origin
    if came_from == origin:
        return
    if came_from[0] == "https" and url.scheme != "https":
        raise OutboundRefused("The server redirects from https:// to http://, which is not followed.")
    if (
        request.method not in ("GET", "HEAD")
        or "content-length" in request.headers
        or "transfer-encoding" in request.headers
    ):
        raise OutboundRefused("The server redirects what was sent to it to another server, which is not followed.")
    for name in set(request.headers) - HARMLESS_HEADERS:
        del request.headers[name]


def _check_headers(request: httpx2.Request) -> None:
    raw = request.headers.raw
    if any(LINE_BREAK.search(name) or LINE_BREAK.search(value) for name, value in raw):
        raise OutboundRefused("A header holds a line break. Enter its value as one line.")
    names = [name.decode("ascii", "replace").lower() for name, _ in raw]
    if closed := CLOSED_HEADERS.intersection(names):
        raise OutboundRefused(f"The header {min(closed)} cannot be set: it belongs to the connection.")
    hosts = [value for name, value in raw if name.lower() == b"host"]
    if [host.lower() for host in hosts] != [request.url.netloc.lower()]:
        raise OutboundRefused("The header Host cannot be set: it is the URL's.")
    if names.count("content-length") + names.count("transfer-encoding") > 1:
        raise OutboundRefused("The length of a request's body cannot be set: it is counted.")
