"""The protocol's server for one set of tools: what a caller is shown of them, and how one is found and called."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pydantic_core
from django.conf import settings
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    methods,
)

from accounts.caller import Caller
from mcp_gateway import results, tracing, wire
from mcp_gateway.calls import ACTION, Call
from mcp_gateway.exchange import Exchange
from mcp_gateway.progress import Progress
from mcp_gateway.registry import Registry, Tool
from mcp_gateway.trail import Trail
from security import audit
from security.audit import Outcome

# What the kernel is given for a result that the exchange has in writing already.
WRITTEN = CallToolResult(content=[])

Context = ServerRequestContext[Any, Any]

# How long clients of 2026-07-28 may keep a listing: it changes with the key's scope and with an upgrade, nothing else.
LISTING_MILLISECONDS = 60_000
DISCOVERY_MILLISECONDS = 3_600_000


@dataclass(frozen=True)
class Identity:
    """How a server introduces itself; the instructions are for the model that will call its tools."""

    name: str
    title: str
    version: str
    instructions: str


@dataclass
class Toolset:
    """The tools registered for `name`, for the callers of one endpoint."""

    name: str
    registry: Registry
    trail: Trail
    lists_beyond_scope: bool = False
    _listings: dict[tuple[str, ...], bytes] = field(default_factory=dict)
    _envelopes: dict[str, bytes] = field(default_factory=dict)
    _server_info: dict[str, Any] = field(default_factory=dict)

    def server(self, identity: Identity) -> Server[Any]:
        server: Server[Any] = Server(
            identity.name,
            title=identity.title,
            version=identity.version,
            instructions=identity.instructions,
            on_list_tools=self.list,
            on_call_tool=self.call,
            cache_hints={
                "tools/list": CacheHint(LISTING_MILLISECONDS, "private"),
                "server/discover": CacheHint(DISCOVERY_MILLISECONDS, "public"),
            },
        )
        if not settings.OTEL_EXPORTER_OTLP_ENDPOINT:
            server.middleware.clear()  # the kit's spans, which would go nowhere
        server.middleware.append(self.remember_listing)
        self._server_info = server.server_info_stamp
        return server

    async def list(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """The tools the caller's scope includes, or all where its client can ask for more; on one page."""
        if params is not None and params.cursor is not None:
            raise MCPError(INVALID_PARAMS, "There is one page of tools; ask without a cursor.")
        exchange = asked(context)
        return ListToolsResult(
            tools=[
                results.listed(tool, plain_name=exchange.plain_names)
                for tool in self.registry.tools(self.name)
                if self.lists_beyond_scope or exchange.caller.scope.includes(tool.scope)
            ]
        )

    async def remember_listing(self, ctx: Context, call_next: CallNext) -> HandlerResult:
        """Shape and write a listing once for each revision, scope and spelling: tools stay while the process lives."""
        if ctx.method != "tools/list" or (ctx.params and ctx.params.get("cursor") is not None):
            return await call_next(ctx)
        exchange = asked(ctx)
        key = (ctx.protocol_version, exchange.caller.scope.value, str(exchange.plain_names))
        if (known := self._listings.get(key)) is not None:
            methods.validate_client_request("tools/list", ctx.protocol_version, ctx.params)
            exchange.written_result = known
            return {}
        listing = await call_next(ctx)
        self._listings[key] = pydantic_core.to_json(listing)
        return listing

    async def call(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        """Call a tool for the caller. Unknown ones and those beyond its scope are errors of the protocol."""
        caller = asked(context).caller
        tracing.name_request(caller.request_id)
        tool = self.registry.find(self.name, params.name)
        if tool is None:
            await self._refuse(caller, params.name[:80], "unknown_tool")
            raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:80]}. tools/list names those there are.")
        if not caller.scope.includes(tool.scope):
            await self._refuse(caller, tool.name, "insufficient_scope")
            raise MCPError(wire.FORBIDDEN, *scope_missing(tool, caller))
        call = Call(tool, caller, self.trail, Progress(context.session.report_progress)).run(params.arguments)
        # A write that has begun goes on to its end and its entry, though its client hang up meanwhile.
        result = await (call if tool.read_only else asyncio.shield(asyncio.create_task(call)))
        if isinstance(result, CallToolResult):
            return result
        asked(context).written_result = results.written(tool, result, self._envelope(context.protocol_version))
        return WRITTEN

    def _envelope(self, protocol_version: str) -> bytes:
        if (known := self._envelopes.get(protocol_version)) is None:
            known = self._envelopes[protocol_version] = results.envelope(protocol_version, self._server_info)
        return known

    async def _refuse(self, caller: Caller, tool_name: str, code: str) -> None:
        await self.trail.add(
            partial(audit.entry, ACTION, caller=caller, tool=tool_name, outcome=Outcome.REFUSED, error_code=code)
        )


def asked(context: Context) -> Exchange:
    """The exchange a message came in: who calls, and how it wants names spelt."""
    if not isinstance(context.request, Exchange):
        raise TypeError("This server is reached through an exchange only.")
    return context.request


def scope_missing(tool: Tool, caller: Caller) -> tuple[str, Mapping[str, str]]:
    """The message and data of the error for a tool beyond the caller's scope."""
    needed, held = tool.scope.value, caller.scope.value
    return (
        f"{tool.name} needs the scope {needed}; the key used has {held}. Use a key with the scope {needed}.",
        {"code": "insufficient_scope", "scope": needed, "held": held, "requestId": caller.request_id},
    )
