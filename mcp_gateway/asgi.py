"""MCP endpoints as ASGI applications, and how they are mounted beside Django's."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from mcp.server.lowlevel import Server

from accounts.caller import Caller
from mcp_gateway import admission, hot, metrics, offload, tracing, wire
from mcp_gateway.entrance import Entrance, KeyEntrance
from mcp_gateway.exchange import DATABASE_AWAY, Exchange, is_modern
from mcp_gateway.limits import request_limit
from mcp_gateway.refusals import Receive, Refusal, Scope, Send, respond
from mcp_gateway.registry import Registry, registry
from mcp_gateway.remote.running import running as remote_servers
from mcp_gateway.server import Identity, Toolset
from mcp_gateway.trail import Trail

# Loosely typed: each framework has its own names for the same three things.
Application = Callable[[Any, Any, Any], Awaitable[None]]

logger = logging.getLogger(__name__)


class Endpoint:
    """One MCP endpoint: the tools registered under `tools`, for whoever its entrance lets in; by default, API keys."""

    def __init__(
        self,
        identity: Identity,
        *,
        tools: str,
        source: Registry = registry,
        entrance: Entrance | None = None,
        per_minute: int | None = None,
    ) -> None:
        self.tools = tools
        self.trail = Trail()
        self.entrance: Entrance = entrance or KeyEntrance(self.trail)
        toolset = Toolset(tools, source, self.trail, lists_beyond_scope=self.entrance.lists_beyond_scope)
        self.server: Server[Any] = toolset.server(identity)
        limit = settings.MCP_SERVER_RATE_PER_MINUTE if per_minute is None else per_minute
        self.limit = request_limit(limit, settings.REDIS_URL, tools)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write the audit in batches, and do what the entrance needs done beside it, until left."""
        beside = [asyncio.create_task(work) for work in [self.trail.write_batches(), *self.entrance.beside()]]
        try:
            yield
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self.limit.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lines = [(name.decode("latin-1"), value.decode("latin-1").strip()) for name, value in scope["headers"]]
        headers = dict(lines)
        try:
            caller = await self._admit(scope, headers)
            message = wire.read(await admission.read_body(receive))
        except Refusal as refusal:
            metrics.refusals.labels(self.tools, refusal.code).inc()
            await refusal.answer(send, close=admission.leaves_unread(headers))
        except wire.Unreadable as unreadable:
            status = 400 if is_modern(headers) else self.entrance.old_revisions_fault
            await respond(send, status, wire.error(unreadable.request_id, unreadable.error))
        except ConnectionResetError:
            return
        else:
            plain_names = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("names") == ["plain"]
            exchange = Exchange(
                message,
                caller=caller,
                headers=lines,
                plain_names=plain_names,
                scope_challenge=self.entrance.scope_challenge,
                receive=receive,
                send=send,
            )
            await exchange.run(self.server)

    async def _admit(self, scope: Scope, headers: dict[str, str]) -> Caller:
        """Who calls, or a refusal. Cheap checks first, and each request counts whatever comes of it."""
        address = (scope.get("client") or ("", 0))[0]
        await admission.check_rate(self.limit, address)
        admission.check_method(scope["method"])
        admission.check_origin(headers)
        try:
            caller = await self.entrance.admit(headers, address)
        except DATABASE_AWAY:
            logger.exception("Nobody could be let in")
            raise Refusal(
                503, "unavailable", "The database does not answer. Try again in a few seconds.", retry_after="5"
            ) from None
        admission.check_body_headers(headers)
        return caller


Running = Callable[[], contextlib.AbstractAsyncContextManager[None]]


def mount(pages: Application, endpoints: Mapping[str, Endpoint], beside: Sequence[Running] = ()) -> Application:
    """An application that serves each endpoint at its path, with or without a slash after it, and else the pages.

    A redirect would turn some clients' POST into a GET, so both spellings answer. This owns the lifespan: the endpoints
    run from the server's start to its stop, and so does what is `beside` them.
    """
    by_path = {spelling: endpoint for path, endpoint in endpoints.items() for spelling in (path, path + "/")}

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(
                [*(endpoint.running for endpoint in endpoints.values()), remote_servers, *beside], receive, send
            )
        elif scope["type"] == "http" and (endpoint := by_path.get(scope["path"])) is not None:
            await endpoint(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            await pages(scope, receive, send)

    return application


async def _live(running: list[Running], receive: Receive, send: Send) -> None:
    await receive()  # lifespan.startup
    tracing.start()
    async with contextlib.AsyncExitStack() as stack:
        for one in running:
            await stack.enter_async_context(one())
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
    await hot.close()
    await asyncio.to_thread(offload.close)
    await asyncio.to_thread(tracing.stop)
    await send({"type": "lifespan.shutdown.complete"})
