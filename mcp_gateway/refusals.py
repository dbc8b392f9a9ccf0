"""Answers of HTTP itself, given before a message is read: not signed in, too many, too large, not that method."""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from mcp_types import ErrorData

from mcp_gateway import wire
from security import request_id

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """The status, what is wrong and what to do, a stable code, and the headers that go with it."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]

    async def answer(self, send: Send, *, close: bool) -> None:
        """Send it as JSON. `close` ends the connection, so that a body not read yet never has to be."""
        body = wire.error(
            None,
            ErrorData(
                code=wire.REFUSED, message=self.message, data={"code": self.code, "requestId": request_id.current()}
            ),
        )
        await respond(send, self.status, body, self.headers + ([(b"connection", b"close")] if close else []))


async def respond(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
    """Send a whole answer; JSON where it has a body."""
    described = [*(wire.JSON if body else ()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
