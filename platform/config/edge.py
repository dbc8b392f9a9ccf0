"""The outermost layer of the ASGI application: what a request is known by, wherever it is answered.

It puts the true client into the scope's `client` and the true scheme into `scheme`, so that nothing inside has to read
a proxy's header, and gives every answer its X-Request-ID.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from security import client_ip, request_id

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ANSWER_HEADER = request_id.HEADER.lower().encode()


class Edge:
    def __init__(self, application: Application, proxies: list[str]) -> None:
        self.application = application
        self.proxies = client_ip.networks(proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        peer, port = scope.get("client") or ("", 0)
        proposed = ""
        if client_ip.trusted(peer, self.proxies):
            proposed = header(scope, ANSWER_HEADER)
            if header(scope, b"x-forwarded-proto") in {"http", "https"}:
                scope["scheme"] = header(scope, b"x-forwarded-proto")
            scope["client"] = (client_ip.client_ip(peer, header(scope, b"x-forwarded-for"), self.proxies), port)
        else:
            # Nothing inside may take a stranger's word for it either.
            scope["headers"] = [pair for pair in scope["headers"] if not pair[0].startswith(b"x-forwarded-")]
        name = request_id.begin(proposed).encode()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0].lower() != ANSWER_HEADER]
                message["headers"] = [*headers, (ANSWER_HEADER, name)]
            await send(message)

        await self.application(scope, receive, answer)


def header(scope: Scope, name: bytes) -> str:
    """The header's values, joined by a comma as HTTP allows."""
    return b",".join(value for key, value in scope["headers"] if key == name).decode("latin-1").strip()
