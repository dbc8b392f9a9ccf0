"""Refuses a body that is longer than its route takes, before Django spools it: all of it, ahead of any view.

What declares its length is refused unread. What does not is cut off where it passes the limit; the rest is not read,
and the connection is closed. The MCP endpoints hold a limit of their own (`mcp_gateway.admission`).
"""

import logging
from http import HTTPStatus
from io import BytesIO

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse

from config.edge import Message, Receive, Scope, Send, header
from dashboard.views import errors
from mcp_gateway.asgi import Application
from mcp_gateway.offload import in_domain
from security import body_size, csp

logger = logging.getLogger(__name__)


class BodyLimit:
    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        body = Body(scope, receive)
        if not await body.is_too_long(_declared(scope)):
            await self.application(scope, body.receive, send)
        if body.refused_at is not None:
            logger.warning("A body of more than %d bytes for %s was refused.", body.refused_at, scope["path"])
            await _send(_refusal(body.refused_at, as_page="text/html" in header(scope, b"accept")), send)


class Body:
    """A request's body as it comes in, counted."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.refused_at: int | None = None
        """How many bytes it would have been allowed, once it has more."""
        self._scope = scope
        self._receive = receive
        self._length = 0
        self._most = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
        self._asked = False

    async def receive(self) -> Message:
        """The next of it. Where it is too long the client seems to have left, upon which Django gives up in silence."""
        message = await self._receive()
        self._length += len(message.get("body", b""))
        if await self.is_too_long(self._length):
            return {"type": "http.disconnect"}
        return message

    async def is_too_long(self, length: int) -> bool:
        """Whether it may not have this length. Its route is asked once it is longer than any other may be."""
        if length > self._most and not self._asked:
            self._asked = True
            try:
                self._most = await in_domain(body_size.most, ASGIRequest({**self._scope}, BytesIO()))
            except (OperationalError, InterfaceError):
                logger.exception("Nobody can be told from a stranger while the database does not answer")
        if length > self._most:
            self.refused_at = self._most
        return self.refused_at is not None


def _declared(scope: Scope) -> int:
    """The length that the request declares; none counts as 0, and what comes is counted in any case."""
    declared = header(scope, b"content-length")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def _refusal(most: int, *, as_page: bool) -> HttpResponse:
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    message = f"The request is longer than {most:,} bytes, the most that is taken here. Send less at a time."
    if as_page:
        response = errors.page_alone(status, "That is too much at once", message)
    else:
        response = JsonResponse({"code": status, "message": message}, status=status)
    for name, value in {**csp.HEADERS, "X-Content-Type-Options": "nosniff", "Connection": "close"}.items():
        response.headers[name] = value
    return response


async def _send(response: HttpResponse, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in response.headers.items()]
    length = (b"content-length", str(len(response.content)).encode())
    await send({"type": "http.response.start", "status": response.status_code, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": response.content})
