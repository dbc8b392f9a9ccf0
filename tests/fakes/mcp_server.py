"""An MCP server of somebody else's on loopback, on the SDK's own server: both eras, both transports, and levers.

What it was asked is in `seen`. A test may have it answer otherwise (`answers`), or be as servers were before 2026
(`older`).
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Mount

from tests.fakes.mcp_tools import add_tools
from tests.serving import serve

Answer = Callable[[], Response]


@dataclass
class Seen:
    """A request as it came in."""

    http: str
    path: str
    headers: dict[str, str]
    rpc: dict[str, Any]

    @property
    def method(self) -> str:
        return str(self.rpc.get("method", ""))


@dataclass
class McpServer:
    """A running server: `url` of its streamable HTTP endpoint, `sse_url` of its older one."""

    tools: MCPServer
    url: str = ""
    sse_url: str = ""
    older: bool = False
    seen: list[Seen] = field(default_factory=list)
    # Given instead of its own answers to POSTs, one after the other.
    answers: list[Answer] = field(default_factory=list)
    # Given to each request of that method, as long as it stands there.
    by_method: dict[str, Answer] = field(default_factory=dict)
    # HTTP requests being answered now.
    under_way: int = 0
    most_under_way: int = 0
    # Set when the call of `wait` has begun, and when it was cancelled.
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    # With `drags` the end of a session is answered once `let_go` was called; `closing` is set when it is asked for.
    drags: bool = False
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    may_close: asyncio.Event = field(default_factory=asyncio.Event)
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def methods(self) -> list[str]:
        """What was asked of it, leaving out what only tells."""
        return [each.method for each in self.seen if "id" in each.rpc]

    def asked(self, method: str) -> list[Seen]:
        return [each for each in self.seen if each.method == method]

    def forget(self) -> None:
        """Be as if nobody had asked it anything yet, nor changed how it answers."""
        self.seen.clear()
        self.answers.clear()
        self.by_method.clear()
        self.older = self.drags = False
        for event in (self.waiting, self.cancelled, self.closing, self.may_close):
            event.clear()

    def let_go(self) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.may_close.set)

    async def moment(self) -> None:
        """What a server waits between two signs of life."""
        await asyncio.sleep(0.02)

    async def reached(self, event: asyncio.Event, seconds: float = 20) -> None:
        """Wait for an event of the server's, which lives on another loop."""
        assert self.loop is not None
        waited = asyncio.run_coroutine_threadsafe(event.wait(), self.loop)
        await asyncio.wait_for(asyncio.wrap_future(waited), seconds)


@contextlib.contextmanager
def mcp_server(
    *, list_ttl_ms: int | None = None, tools: bool = True, instructions: str | None = None
) -> Iterator[McpServer]:
    """Serve from a thread until left. Its tools are in `mcp_tools`; `list_ttl_ms` is how long their list may be kept.

    `instructions` is what it says of itself, also in place of its name and title.
    """
    hint = CacheHint() if list_ttl_ms is None else CacheHint(ttl_ms=list_ttl_ms)
    made = MCPServer(
        instructions or "somebody-elses",
        title=instructions,
        instructions=instructions,
        version="1.2.3",
        cache_hints={"tools/list": hint},
    )
    server = McpServer(made)
    if tools:
        add_tools(made, server.waiting, server.cancelled)
    http, sse = server.tools.streamable_http_app(), server.tools.sse_app()
    app = Starlette(routes=[Mount("/old", sse), Mount("/", http)], lifespan=_lifespan_of(http))
    with serve(_Levers(app, server)) as served:
        server.loop = served.loop
        server.url = f"http://127.0.0.1:{served.port}/mcp"
        server.sse_url = f"http://127.0.0.1:{served.port}/old/sse"
        yield server


def _lifespan_of(inner: Starlette) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            yield

    return lifespan


class _Levers:
    """Notes each request, and answers in the server's place where the test says so."""

    def __init__(self, app: Starlette, server: McpServer) -> None:
        self._app, self._server = app, server

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._server.under_way += 1
        self._server.most_under_way = max(self._server.most_under_way, self._server.under_way)
        try:
            await self._http(scope, receive, send)
        finally:
            self._server.under_way -= 1

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body, again = await _read(receive) if scope["method"] == "POST" else (b"", receive)
        rpc = json.loads(body) if body else {}
        self._server.seen.append(Seen(scope["method"], scope["path"], headers, rpc))
        if scope["method"] == "DELETE" and self._server.drags:
            self._server.closing.set()
            await self._server.may_close.wait()
        if scope["method"] == "POST" and self._server.answers:
            await self._server.answers.pop(0)()(scope, again, send)
        elif (method := str(rpc.get("method", ""))) in self._server.by_method:
            await self._server.by_method[method]()(scope, again, send)
        elif self._server.older and headers.get("mcp-protocol-version", "") >= "2026":
            refusal = {"code": -32000, "message": "Bad Request: Unsupported protocol version"}
            await JSONResponse({"jsonrpc": "2.0", "id": None, "error": refusal}, 400)(scope, again, send)
        else:
            await self._app(scope, again, send)


async def _read(receive: Callable[[], Awaitable[Any]]) -> tuple[bytes, Callable[[], Awaitable[Any]]]:
    """The body, and a way to receive it again."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            break
    whole = [{"type": "http.request", "body": b"".join(parts)}]

    async def again() -> Any:
        return whole.pop() if whole else await receive()

    return b"".join(parts), again


def status(code: int, text: str = "", **headers: str) -> Answer:
    """An answer of that status in plain text."""
    return lambda: PlainTextResponse(text, code, {name.replace("_", "-"): value for name, value in headers.items()})


def hang_up() -> Response:
    """An answer that breaks off after its headers."""

    class Broken(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            headers = [(b"content-type", b"application/json"), (b"content-length", b"100")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})

    return Broken()


def never() -> Response:
    """No answer, until whoever asked hangs up."""

    class Silent(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

    return Silent()


def result(given: dict[str, Any]) -> Answer:
    """The result of whatever is asked."""

    class Result(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            body, again = await _read(receive)
            answer = {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": given}
            await JSONResponse(answer)(scope, again, send)

    return Result


def rpc_error(code: int, message: str, http: int = 200) -> Answer:
    return lambda: JSONResponse({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": message}}, http)
