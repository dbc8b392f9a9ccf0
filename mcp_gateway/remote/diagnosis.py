"""What went wrong with a remote server, from what was seen of it: a code, and words that say what to do."""

import re
import ssl

import httpx2
from mcp.shared.exceptions import MCPError
from mcp_types import CONNECTION_CLOSED, PARSE_ERROR
from pydantic import ValidationError

from mcp_gateway.remote.line import Witness
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.sse import NOT_DELIVERED, NoStream
from mcp_gateway.remote.wording import quoted, words
from security.outbound import OutboundRefused, ResponseTooLarge

# How the library words an error of its own making where the server gave none.
STAND_INS = (
    "Not Found",
    "Session terminated",
    "Server returned an error response",
    "Unexpected content type",
    NOT_DELIVERED,
)
# The same of a connection that ended; servers use its code, -32000, for all sorts of things.
BROKEN = ("Connection closed", "SSE stream ")
BROKE = "The connection to the server broke before it answered. Whether it did what was asked is not known."
TOO_LONG_EVENT = "Server-sent event exceeded"
_CHALLENGE_FIELD = re.compile(r'([a-zA-Z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


def diagnose(error: BaseException, witness: Witness, *, seconds: float) -> RemoteError:
    """The error to raise for what the library raised, given what the wire saw. `seconds` is how long was waited."""
    if isinstance(error, RemoteError):
        return error
    if isinstance(error, TimeoutError):
        return _timed_out(seconds)
    if witness.failure is not None:
        return _unanswered(witness.failure, seconds)
    # A JSON-RPC error says more than the status it came with, unless that is about access.
    spoke = isinstance(error, MCPError) and not error.message.startswith(STAND_INS)
    explained = spoke and witness.content_type == "application/json" and witness.status not in (401, 403, 429)
    if not explained and (refusal := refused(witness)):
        return refusal
    if isinstance(error, MCPError) and error.code != PARSE_ERROR:
        return _said_no(error, witness)
    if isinstance(error, NoStream):
        return RemoteError(Code.NOT_MCP, "The server opens no event stream at this address. Check the URL.")
    if isinstance(error, MCPError | ValidationError | RuntimeError | ValueError):
        return RemoteError(
            Code.PROTOCOL,
            "The server answered in a way the Model Context Protocol does not allow. Its operators have to fix that.",
        )
    return RemoteError(Code.UNREACHABLE, BROKE)


def refused(witness: Witness) -> RemoteError | None:
    """The error that an HTTP answer stands for, None where it was a proper one."""
    status = witness.status
    if status is None:
        return None
    if witness.location is not None:
        return RemoteError(
            Code.NOT_MCP,
            f"The server sends to another address ({witness.location}), which is not followed. Enter that one.",
            status=status,
        )
    if status == 401:
        return RemoteError(
            Code.UNAUTHORIZED,
            "The server wants to know who calls (401). Check the API key or token, or sign in.",
            status=status,
        )
    if status == 403:
        return _forbidden(witness)
    if status == 429:
        return RemoteError(
            Code.THROTTLED,
            "The server takes no more requests for now (429). Try again later.",
            status=status,
            retry_after=_retry_after(witness),
        )
    if status in (404, 410):
        return RemoteError(
            Code.NOT_FOUND, f"There is nothing at this address ({status}). Check the URL's path.", status=status
        )
    if status >= 500:
        return RemoteError(
            Code.SERVER_ERROR,
            f"The server failed ({status}). Try again later; if it goes on, tell its operators.",
            status=status,
            retry_after=_retry_after(witness),
        )
    return _not_mcp(status, witness.content_type)


def _not_mcp(status: int, content_type: str) -> RemoteError | None:
    """The error where the status and the kind of an answer are not those of an MCP server."""
    if status >= 300 and content_type != "application/json":
        return _takes_no_mcp(status)
    if status < 400 and status != 202 and content_type not in ("application/json", "text/event-stream"):
        return RemoteError(
            Code.NOT_MCP,
            "A web page or something else is at this address, and no MCP server. Check the URL; it often ends in /mcp.",
            status=status,
        )
    return None


def _takes_no_mcp(status: int | None, rpc_code: int | None = None) -> RemoteError:
    return RemoteError(
        Code.NOT_MCP,
        f"What is at this address does not take MCP requests ({status}). Check the URL and the transport.",
        status=status,
        rpc_code=rpc_code,
    )


def challenge(witness: Witness) -> dict[str, str]:
    """The fields of the Bearer challenge, RFC 6750, section 3."""
    header = witness.headers.get("www-authenticate", "")
    return {name.lower(): quoted or bare for name, quoted, bare in _CHALLENGE_FIELD.findall(header)}


def _timed_out(seconds: float) -> RemoteError:
    unit = "second" if seconds == 1 else "seconds"
    return RemoteError(
        Code.TIMEOUT,
        f"The server did not answer within {seconds:g} {unit}. It may be busy or asleep; try again.",
    )


def _unanswered(failure: Exception, seconds: float) -> RemoteError:
    if isinstance(failure, OutboundRefused):
        return RemoteError(Code.REFUSED_ADDRESS, str(failure))
    if isinstance(failure, ResponseTooLarge):
        return RemoteError(Code.TOO_LARGE, str(failure))
    if isinstance(failure, httpx2.TimeoutException):
        return _timed_out(seconds)
    if certificate := _in_chain(failure, ssl.SSLError):
        reason = getattr(certificate, "verify_message", "") or "no encrypted connection could be agreed on"
        return RemoteError(
            Code.TLS,
            f"The server's certificate or encryption is not in order: {reason}. Its operators have to fix that.",
        )
    if isinstance(failure, httpx2.ConnectError):
        return RemoteError(
            Code.UNREACHABLE, "Nothing answers at this address. Check that the server is running, and the URL's port."
        )
    # “Server disconnected …”, “peer closed connection …”: it spoke well enough until then.
    garbled = isinstance(failure, httpx2.RemoteProtocolError) and not re.search("closed|disconnected", str(failure))
    if garbled or isinstance(failure, httpx2.DecodingError):
        return RemoteError(
            Code.NOT_MCP, "What is at this address does not speak HTTP as a server should. Check the URL."
        )
    return RemoteError(Code.UNREACHABLE, BROKE)


def _in_chain(failure: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while failure is not None and not isinstance(failure, kind):
        failure = failure.__cause__ or failure.__context__
    return failure


def _forbidden(witness: Witness) -> RemoteError:
    fields = challenge(witness)
    if fields.get("error") == "insufficient_scope":
        return RemoteError(
            Code.SCOPE_NEEDED,
            "The server wants wider access than was granted. Connect again to allow it.",
            status=403,
            scope=words(fields.get("scope", "")),
        )
    return RemoteError(
        Code.FORBIDDEN,
        "The server knows who calls and does not allow it (403). Check what the account or key may do there.",
        status=403,
    )


def _retry_after(witness: Witness) -> float | None:
    value = witness.headers.get("retry-after", "").strip()
    return float(value) if value.isdigit() and len(value) < 10 else None


def _said_no(error: MCPError, witness: Witness) -> RemoteError:
    if error.code == CONNECTION_CLOSED and error.message.startswith(BROKEN):
        if TOO_LONG_EVENT in error.message:
            return RemoteError(Code.TOO_LARGE, "The server's answer is larger than is accepted, so it was not read on.")
        return RemoteError(Code.UNREACHABLE, BROKE, rpc_code=error.code)
    said = quoted(error.message)
    if error.message.startswith(STAND_INS):
        return _takes_no_mcp(witness.status, error.code)
    if witness.status is not None and witness.status >= 500:
        return RemoteError(
            Code.SERVER_ERROR,
            f"The server failed ({witness.status}): {said}",
            status=witness.status,
            rpc_code=error.code,
        )
    return RemoteError(
        Code.PROTOCOL,
        f"The server refused the request{f': {said}' if said else '.'}",
        status=witness.status,
        rpc_code=error.code,
    )
