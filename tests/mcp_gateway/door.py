"""Coming in by the MCP endpoints as clients do: over a real port, or straight into the application."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx2
from asgiref.sync import async_to_sync

from accounts.caller import Caller, Door
from accounts.models import User
from accounts.scopes import Scope
from accounts.services import keys
from config.edge import Edge
from mcp_gateway.asgi import Application, Endpoint, mount
from mcp_gateway.entrance import KeyEntrance
from mcp_gateway.registry import Registry, registry
from mcp_gateway.server import Identity
from tests.serving import serve

PATH = "/api/mcp-server"
MODERN = "2026-07-28"
IDENTITY = Identity("test", "Test", "1", "For tests.")


def api_key(user: User, scope: Scope = Scope.ADMIN, *, expires_at: datetime | None = None) -> str:
    """The text of a new key of the user."""
    caller = Caller(user_id=user.pk, scope=Scope.ADMIN, door=Door.COMMAND)
    return keys.create_key(caller, name="test", scope=scope, expires_at=expires_at).text


def endpoint(tools: str = "bots", source: Registry = registry) -> Endpoint:
    return Endpoint(IDENTITY, tools=tools, source=source)


def application(served: Endpoint) -> Application:
    return Edge(mount(no_pages, {PATH: served}), proxies=[])


async def no_pages(scope: Any, receive: Any, send: Any) -> None:
    """Where Django would answer."""
    await send({"type": "http.response.start", "status": 404, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def result(self) -> Any:
        assert "result" in self.json, self.json
        return self.json["result"]

    @property
    def error(self) -> Any:
        assert "error" in self.json, self.json
        return self.json["error"]


@dataclass(frozen=True)
class Direct:
    """Straight into the application, in the test's own thread and transaction. Set QUICK_THREADS to 0."""

    served: Endpoint
    key: str = ""
    path: str = PATH

    def post(self, body: bytes, *, query: str = "", method: str = "POST", **headers: str | None) -> Answer:
        """POST the body. Headers are given with `_` for `-`; None leaves one out."""
        given: dict[str, str | None] = {"host": "localhost", "content-type": "application/json"}
        if self.key:
            given["authorization"] = f"Bearer {self.key}"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value is not None]
        return async_to_sync(self._exchange)(lines, body, query, method)

    def rpc(self, method: str, params: dict[str, Any] | None = None, **headers: str | None) -> Answer:
        message = {"jsonrpc": "2.0", "id": 1, "method": method} | ({"params": params} if params is not None else {})
        return self.post(json.dumps(message).encode(), query="", method="POST", **headers)

    def call(self, tool: str, **arguments: Any) -> Answer:
        return self.rpc("tools/call", {"name": tool, "arguments": arguments})

    async def _exchange(self, lines: list[tuple[bytes, bytes]], body: bytes, query: str, method: str) -> Answer:
        scope = {
            "type": "http",
            "method": method,
            "path": self.path,
            "query_string": query.encode(),
            "headers": lines,
            "client": ("127.0.0.1", 50000),
            "scheme": "http",
        }
        sent: list[dict[str, Any]] = []
        waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        waiting.put_nowait({"type": "http.request", "body": body})

        async def send(message: Any) -> None:
            sent.append(dict(message))

        await application(self.served)(scope, waiting.get, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:]))


@dataclass(frozen=True)
class Live:
    """A server on a port of its own."""

    url: str
    port: int
    served: Endpoint
    loop: asyncio.AbstractEventLoop

    def post(self, body: bytes | str, key: str, **headers: str) -> httpx2.Response:
        given = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        return httpx2.post(self.url, content=body, headers=given | headers, timeout=20)

    def wait_until_it_hears(self) -> None:
        """Until revoked keys are heard of, so that good ones are remembered."""
        assert isinstance(self.served.entrance, KeyEntrance)
        asyncio.run_coroutine_threadsafe(self.served.entrance.keys.heard(), self.loop).result(20)


@contextlib.contextmanager
def live(served: Endpoint) -> Iterator[Live]:
    """Serve the endpoint from a thread until left. Rows it should see have to be committed."""
    with serve(application(served)) as server:
        yield Live(f"http://127.0.0.1:{server.port}{PATH}", server.port, served, server.loop)
