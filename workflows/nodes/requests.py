"""One HTTP request to an address that people or models give: what it may cost, and what is said of how it went.

The api node and the action `ext_api_call` send theirs by it; when one is sent again is theirs to decide.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import httpx2

from security import outbound
from workflows.clipping import cut

# An answer may take all the time there is to begin. Of it so much is kept, in bytes.
SECONDS = 60
BOUNDS = outbound.Bounds(read=SECONDS, total=SECONDS, wire_bytes=1_048_576, body_bytes=1_048_576)
# How often an answer may lead elsewhere; the guard judges each address, and takes no header along to another server.
REDIRECTS = 5
# Methods whose request may be sent again (RFC 9110, section 9.2.2).
IDEMPOTENT = frozenset({"GET", "PUT", "DELETE"})
# Nothing went over the wire.
UNSENT = (outbound.OutboundRefused, httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
# What another try would meet again.
FINAL = (outbound.OutboundRefused, outbound.ResponseTooLarge, httpx2.TooManyRedirects, httpx2.LocalProtocolError)
# What a request that cannot be written raises: headers beyond ASCII, numbers that JSON has not.
UNWRITABLE = (ValueError, httpx2.InvalidURL)
FAULTS = (httpx2.HTTPError, *UNWRITABLE)
# Headers that are counted or belong to the connection, beside those that the guard refuses.
COUNTED = frozenset({"content-length", "transfer-encoding"})
# Of an answer in JSON; what is deeper is kept as text.
MOST_DEPTH = 100
# Of the body of an answer that is a refusal, in characters.
MOST_SAID = 500


class Unsendable(ValueError):  # noqa: N818 - the failure of a run or an action, in words for people
    """A header cannot be set. The message says which."""


def headers_of(key: str, given: Mapping[str, str]) -> dict[str, str]:
    """The headers to send: those given, and a key by which a server knows a request that came twice, unless they have
    one. White space around a value is no part of it (RFC 9110, section 5.5). Raises `Unsendable`."""
    if counted := next((name for name in given if name.lower() in COUNTED), None):
        raise Unsendable(f"the header {counted} cannot be set: it is counted. Leave it out.")
    has_key = any(name.lower() == "idempotency-key" for name in given)
    return ({} if has_key else {"Idempotency-Key": key}) | {name: value.strip() for name, value in given.items()}


def body_of(response: httpx2.Response) -> Any:
    """The answer as JSON where it is that, and not too deep to be worked with; else as text."""
    try:
        body = json.loads(response.text)
    except (ValueError, RecursionError):
        return response.text
    return response.text if _is_deep(body) else body


def refusal_of(status: int, body: Any) -> str:
    """What an answer from 400 on says, in words: its status, and the beginning of what it holds."""
    said = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return f"was answered {status}: {cut(said, MOST_SAID)}" if said.strip() else f"was answered {status}."


def failure_of(fault: Exception) -> str:
    """Why there is no answer, in words."""
    match fault:
        case outbound.ResponseTooLarge():
            return f"was answered too much: {fault}"
        case httpx2.TooManyRedirects():
            return f"was redirected more than {REDIRECTS} times."
        case httpx2.LocalProtocolError():
            return "could not be sent: a header has a name or a value that HTTP does not allow."
        case UnicodeEncodeError():
            found = fault.object[fault.start : fault.start + 1]
            return (
                f"could not be sent: a header holds “{found}”, and headers hold ASCII alone. Leave it out, or "
                "percent-encode it."
            )
        case httpx2.HTTPError() if not isinstance(fault, UNSENT):
            return f"was sent and not answered: {fault}"
    return f"could not be sent: {fault}"


def _is_deep(body: Any) -> bool:
    level = [body]
    for _ in range(MOST_DEPTH):
        level = [inner for one in level for inner in _within(one)]
    return bool(level)


def _within(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
