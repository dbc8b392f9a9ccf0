"""Reaching the fake MCP server from a test: targets without rows, rows, and work on a loop that must end clean."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from asgiref.sync import async_to_sync

from accounts.models import Organization
from mcp_gateway.models import AuthType, RemoteServer, Transport
from mcp_gateway.remote import discovery
from mcp_gateway.remote.targets import Credential, Target
from mcp_gateway.remote.wires import wires
from tests.factories import RemoteServerFactory
from tests.fakes.mcp_server import McpServer

T = TypeVar("T")

HTTP, SSE = Transport.STREAMABLE_HTTP, Transport.SSE


def target(url: str, transport: Transport = HTTP, **headers: str) -> Target:
    return Target(None, "Elsewhere", "elsewhere", url, transport, Credential("test", headers=headers))


def row(organization: Organization, server: McpServer, transport: Transport = HTTP, **fields: Any) -> RemoteServer:
    """A server of the organization's that leads to the fake."""
    url = server.sse_url if transport == SSE else server.url
    made: RemoteServer = RemoteServerFactory(
        organization=organization, url=url, transport=transport, auth_type=AuthType.NONE, **fields
    )
    return made


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the work gives. When it ends there is no task of ours left, and no HTTP client open."""

    async def ended_clean() -> T:
        before = asyncio.all_tasks()
        try:
            return await work()
        finally:
            # Generators that were not read to their end are closed by the loop, in tasks of its own.
            if left := asyncio.all_tasks() - before:
                _, left = await asyncio.wait(left, timeout=10)
            assert not left, left
            assert wires().open == 0

    discovery.clear()
    return async_to_sync(ended_clean)()
