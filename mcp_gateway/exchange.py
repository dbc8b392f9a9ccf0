"""One POST and its answer, in either era of the protocol: JSON, or a stream once something is reported on the way.

The kit's kernel (`serve_one`) dispatches, checks methods against the revision and shapes results; this is the transport
around it. The kit's own transports answer the older era through four memory streams and three tasks a request, refuse a
POST without an Accept header, and answer malformed messages with 400; here that era's errors are HTTP 200, as promised.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from django.db import InterfaceError, OperationalError
from mcp.server.connection import Connection
from mcp.server.lowlevel import Server
from mcp.server.runner import serve_one
from mcp.shared.dispatcher import CallOptions
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.inbound import (
    ERROR_CODE_HTTP_STATUS,
    InboundLadderRejection,
    classify_inbound_request,
    find_duplicated_routing_header,
    unsupported_protocol_version_rejection,
)
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data, progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext
from mcp_types import DEFAULT_NEGOTIATED_VERSION, HEADER_MISMATCH, INTERNAL_ERROR, INVALID_REQUEST, ErrorData, RequestId
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from psycopg import InterfaceError as DriverInterfaceError
from psycopg import OperationalError as DriverOperationalError

from accounts.caller import Caller
from accounts.scopes import Scope
from mcp_gateway import wire
from mcp_gateway.refusals import Receive, Send, respond
from mcp_gateway.stream import HungUp, Stream, takes_a_stream

VERSION_HEADER = "mcp-protocol-version"
# The headers of a 403 that name the scope a call needs; None where that is an error like any other.
ScopeChallenge = Callable[[Scope], Mapping[str, str] | None]
DATABASE_AWAY = (OperationalError, InterfaceError, DriverOperationalError, DriverInterfaceError)

logger = logging.getLogger(__name__)


def is_modern(headers: Mapping[str, str]) -> bool:
    """Whether the headers name a revision without a handshake, and so that revision's status codes."""
    return headers.get(VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION) not in HANDSHAKE_PROTOCOL_VERSIONS


class Rejected(Exception):  # noqa: N818 - an answer, not a fault
    """The message does not fit the revision its headers name."""

    def __init__(self, error: ErrorData) -> None:
        super().__init__(error.message)
        self.error = error


class Exchange:
    """The kit's dispatch context for one POST. Handlers find it as `ctx.request`, with who calls."""

    can_send_request = False

    def __init__(
        self,
        message: dict[str, Any],
        *,
        caller: Caller,
        headers: list[tuple[str, str]],
        plain_names: bool,
        scope_challenge: ScopeChallenge,
        receive: Receive,
        send: Send,
    ) -> None:
        self.caller = caller
        self.plain_names = plain_names
        self._scope_challenge = scope_challenge
        self.message = message
        self.headers = dict(headers)
        # JSON to send in place of what the kernel returns: a result that was shaped and written once for many.
        self.written_result: bytes | None = None
        self.request_id: RequestId = message.get("id", 0)
        self.message_metadata = ServerMessageMetadata(request_context=self)
        self.cancel_requested = anyio.Event()
        self.transport = TransportContext(kind="streamable-http", can_send_request=False, headers=self.headers)
        self._raw_headers = headers
        self._version = self.headers.get(VERSION_HEADER, DEFAULT_NEGOTIATED_VERSION)
        self._modern = is_modern(self.headers)
        self._progress_token = progress_token_from_params(message.get("params"))
        self._stream = Stream(receive, send) if takes_a_stream(self.headers.get("accept", "")) else None
        self._send = send

    async def run(self, server: Server[Any]) -> None:
        """Answer the message."""
        if "method" not in self.message or "id" not in self.message:
            await self._acknowledge()
            return
        status = 200
        challenge: Mapping[str, str] | None = None
        try:
            value = await self._dispatch(server)
            body = wire.result(self.request_id, value if self.written_result is None else self.written_result)
        except HungUp:
            return
        except Exception as failure:  # each becomes an answer; a foreign one is masked
            error = self._error(failure)
            body = wire.error(self.request_id, error)
            if self._modern:
                status = ERROR_CODE_HTTP_STATUS.get(error.code, 200)
            if error.code == wire.FORBIDDEN and (challenge := self._scope_challenge(Scope(error.data["scope"]))):
                status = 403
        if self._stream and self._stream.begun:
            await self._stream.end(body)
        else:
            named = [(name.encode(), value.encode()) for name, value in (challenge or {}).items()]
            await respond(self._send, status, body, named)

    async def _dispatch(self, server: Server[Any]) -> dict[str, Any]:
        connection = self._connection()
        params = self.message.get("params")
        call = serve_one(server, self, self.message["method"], params, connection=connection, lifespan_state=None)
        if self._stream is None:
            return await call
        return await self._stream.while_running(call, cancel_when_gone=self._modern)

    def _connection(self) -> Connection:
        if not self._modern:
            return Connection.from_envelope(self._version, None, None)
        if duplicated := find_duplicated_routing_header(self._raw_headers):
            raise Rejected(ErrorData(code=HEADER_MISMATCH, message=f"The header {duplicated} appears more than once"))
        verdict = classify_inbound_request(self.message, headers=self.headers)
        if isinstance(verdict, InboundLadderRejection):
            raise Rejected(ErrorData(code=verdict.code, message=verdict.message, data=verdict.data))
        return Connection.from_envelope(verdict.protocol_version, verdict.client_info, verdict.client_capabilities)

    async def _acknowledge(self) -> None:
        """Accept a notification or a posted response, for which a server without sessions has no use."""
        error = None
        if self._modern:
            unsupported = unsupported_protocol_version_rejection(self._version)
            if unsupported is not None:
                error = ErrorData(code=unsupported.code, message=unsupported.message, data=unsupported.data)
            elif "method" not in self.message:
                error = ErrorData(code=INVALID_REQUEST, message="The body is a response; this server asks for none.")
        if error is None:
            await respond(self._send, 202, b"")
        else:
            await respond(self._send, 400, wire.error(None, error))

    def _error(self, failure: Exception) -> ErrorData:
        if isinstance(failure, Rejected):
            return failure.error
        if (known := handler_exception_to_error_data(failure)) is not None:
            return known
        logger.error("%s failed", self.message["method"], exc_info=failure)
        if isinstance(failure, DATABASE_AWAY):
            return ErrorData(
                code=INTERNAL_ERROR,
                message="The database does not answer. Try again in a few seconds.",
                data={"code": "unavailable", "requestId": self.caller.request_id},
            )
        return wire.internal_error(self.caller.request_id)

    # What the kernel and handlers call -----------------------------------------------------------------------------

    async def send_raw_request(
        self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None
    ) -> dict[str, Any]:
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, opts: CallOptions | None = None) -> None:
        if self._stream is not None:
            await self._stream.event(wire.notification(method, dict(params or {})))

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        if self._progress_token is None:
            return
        params: dict[str, Any] = {"progressToken": self._progress_token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self.notify("notifications/progress", params)
