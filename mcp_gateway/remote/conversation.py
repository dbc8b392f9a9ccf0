"""What is asked of a server over a connection that stands: its tools, and calls of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from mcp_types import CallToolResult, DiscoverResult, Implementation, PaginatedRequestParams, Tool

from mcp_gateway.remote import era, later
from mcp_gateway.remote.diagnosis import diagnose
from mcp_gateway.remote.line import Witness, witnessing
from mcp_gateway.remote.patience import Patience, Progress
from mcp_gateway.remote.questions import Answering, Ask, bounded
from mcp_gateway.remote.session import Session

# A list that goes on after this many pages or tools is cut: no model can choose among so many.
MOST_PAGES = 50
MOST_TOOLS = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """All tools of a server, and how long its list may be kept: seconds, None where the server does not say."""

    tools: list[Tool]
    keep_seconds: float | None


class RemoteSession:
    """A connection that stands. Its methods raise RemoteError."""

    def __init__(self, library: Session, deadline: float, answering: Answering) -> None:
        self._library, self._deadline, self._answering = library, deadline, answering
        self._later: frozenset[str] = frozenset()
        self.alive = True

    @property
    def protocol_version(self) -> str:
        return self._library.protocol_version or ""

    @property
    def modern(self) -> bool:
        """Whether each request stands for itself; older servers have a session."""
        return self._library.discover_result is not None

    @property
    def prior(self) -> DiscoverResult | None:
        """What a later connection needs to do without a handshake; None where the server asks for one."""
        return self._library.discover_result

    @property
    def server_info(self) -> Implementation | None:
        return self._library.server_info

    async def list_tools(self) -> list[Tool]:
        return (await self.page()).tools

    async def page(self) -> Page:
        """The whole list, whatever pages it comes in."""
        tools: list[Tool] = []
        keep: list[float] = []
        cursor: str | None = None
        if not era.has_tools(self._library):
            return Page([], None)
        async with exchange(self._deadline):
            for _ in range(MOST_PAGES):
                result = await self._library.list_tools(params=PaginatedRequestParams(cursor=cursor))
                tools += result.tools
                if "ttl_ms" in result.model_fields_set and result.ttl_ms is not None:
                    keep.append(result.ttl_ms / 1000)
                cursor = result.next_cursor
                if not cursor or len(tools) >= MOST_TOOLS:
                    break
        self._later = later.answered_later(tools)
        return Page(tools[:MOST_TOOLS], min(keep) if keep else None)

    def expect(self, tools: list[Tool]) -> None:
        """Take a list kept from before as this server's."""
        self._library.expect(tools)
        self._later = later.answered_later(tools)

    async def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        *,
        progress: Progress | None = None,
        ask: Ask | None = None,
        meta: Mapping[str, Any] | None = None,
    ) -> CallToolResult:
        """The tool's result as the server gave it, after `ask` answered what it wanted to know in between.

        The server has MCP_REMOTE_CALL_SECONDS from its last word on the progress of it; a question stops the clock.
        """
        patience = Patience(settings.MCP_REMOTE_CALL_SECONDS, settings.MCP_REMOTE_LONGEST_CALL_SECONDS)
        with self._answering.by(bounded(patience.stopped_during(ask))):
            async with exchange(settings.MCP_REMOTE_CALL_SECONDS, patience):
                told = patience.renewed_by(progress)
                if name in self._later and not self.modern:
                    return await later.call(self._library, name, dict(arguments), progress=told)
                return await era.call(self._library, name, dict(arguments), progress=told, meta=meta)


@contextlib.asynccontextmanager
async def exchange(seconds: float, patience: Patience | None = None) -> AsyncIterator[Witness]:
    """One step with the server, within so many seconds; what goes wrong in it is raised as a RemoteError."""
    with witnessing() as witness:
        try:
            async with patience.clock() if patience else asyncio.timeout(seconds):
                yield witness
        except Exception as error:  # the library raises many kinds; each becomes words for people
            raise diagnose(error, witness, seconds=seconds) from error
