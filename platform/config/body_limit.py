"""Refuses a body that is longer than its route takes, before Django spools it: all of it, ahead of any view.

What declares its length is refused unread. What does not is cut off where it passes the limit; the rest is not read, and
the connection is closed. The MCP endpoints hold a limit of their own (`mcp_gateway.admission`).
"""

import logging
from functools import cached_property
from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse, JsonResponse

from config.edge import Application, Message, Receive, Scope, Send, header
from dashboard.views import errors
from security import body_size, csp

logger = logging.getLogger(__name__)


class BodyLimit:
    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        body = Body(str(scope["path"]), receive)
        if body.passes(_declared(scope)):
            body.is_too_long = True
        else:
            await self.application(scope, body.receive, send)
        if body.is_too_long:
            logger.warning("A body of more than %d bytes for %s was refused.", body.most, scope["path"])
            await _send(_refusal(body.most, as_page="text/html" in header(scope, b"accept")), send)


class Body:
    """A request's body as it comes in, counted."""

    def __init__(self, path: str, receive: Receive) -> None:
        self.is_too_long = False
        self._path = path
        self._receive = receive
        self._length = 0

    async def receive(self) -> Message:
        """The next of it. Where it is too long the client seems to have left, upon which Django gives up in silence."""
        message = await self._receive()
        self._length += len(message.get("body", b""))
        if self.passes(self._length):
            self.is_too_long = True
            return {"type": "http.disconnect"}
        return message

    def passes(self, length: int) -> bool:
        """Whether that is too long. The route is looked up for bodies that are long for any."""
        return length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and length > self.most

    @cached_property
    def most(self) -> int:
        return body_size.most(self._path)


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
