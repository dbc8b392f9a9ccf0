"""What can be wrong between us and a remote server: one code each, with words that help."""

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Stable codes: programs and help pages refer to them."""

    DISABLED = "disabled"
    NOT_CONNECTED = "not_connected"
    CONNECTION_ERROR = "connection_error"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    SCOPE_NEEDED = "scope_needed"
    WRONG_TRANSPORT = "wrong_transport"
    NOT_MCP = "not_mcp"
    NOT_FOUND = "not_found"
    NO_TOOLS = "no_tools"
    TIMEOUT = "timeout"
    TLS = "tls"
    REFUSED_ADDRESS = "refused_address"
    UNREACHABLE = "unreachable"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    PROTOCOL = "protocol"
    TOO_LARGE = "too_large"
    ASK_FIRST = "ask_first"


class RemoteError(Exception):
    """A remote server cannot be used as asked. The message is for people, safe to show, and says what to do."""

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        scope: str = "",
        rpc_code: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after = retry_after
        self.scope = scope
        # Of a JSON-RPC error, where the server gave one.
        self.rpc_code = rpc_code


@dataclass(frozen=True, slots=True)
class Problem:
    """Why one of several servers cannot be used; the others can. `connects` where the person fixes it by connecting."""

    server_id: int
    server_name: str
    code: Code
    message: str
    connects: bool = False
