"""All that an agent can call in one turn: remote servers' tools and those of the platform's products.

Connections are opened for the turn and closed behind it, however it ends.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from accounts.caller import Caller
from agents_hub.chat import remote
from agents_hub.chat.sources import ChatTool, Problem, sources
from agents_hub.models import Agent
from agents_hub.services.abilities import subjects_of, switched_off
from agents_hub.services.agent_servers import assigned_ids
from mcp_gateway.models import RemoteServer
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import toolbox

# How long all connections of a turn may take to close by themselves, and to be given up after that.
CLOSING_SECONDS = 30.0
LETTING_GO_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Toolset:
    tools: list[ChatTool] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    subjects: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What the agent had of each source when this was put together."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the agent was given: servers with their names, subjects by source, and what is switched off of them."""

    servers: dict[int, str]
    subjects: dict[str, list[str]]
    switched_off: frozenset[tuple[str, str]]


class Opened:
    """What an agent can call, held open by a task of its own: whoever uses it can end what it is for before the
    connections are closed, and a server that drags on that holds up nobody."""

    def __init__(self, caller: Caller, agent: Agent) -> None:
        self._found: asyncio.Future[Toolset] = asyncio.get_running_loop().create_future()
        self._leave = asyncio.Event()
        self._home = asyncio.create_task(self._hold(caller, agent))

    async def tools(self) -> Toolset:
        """Once they are found."""
        return await asyncio.shield(self._found)

    async def close(self) -> None:
        """Until all connections are closed, or given up: in bounded time, whoever drags on it."""
        self._leave.set()
        if not self._found.done():
            self._home.cancel()
        for seconds in (CLOSING_SECONDS, LETTING_GO_SECONDS):
            await asyncio.wait({self._home}, timeout=seconds)
            if self._home.done():
                break
            logger.error("Connections of an answer were not closed within %s seconds", seconds)
            self._home.cancel()
        if self._found.done() and not self._found.cancelled():
            self._found.exception()  # was seen by who waited for the tools, or nobody does any more

    async def _hold(self, caller: Caller, agent: Agent) -> None:
        try:
            async with opened(caller, agent) as tools:
                self._found.set_result(tools)
                await self._leave.wait()
        except Exception as fault:  # told to who waits for the tools; after that there is nobody to be told
            if self._found.done():
                logger.exception("Connections of an answer did not close well")
            else:
                self._found.set_exception(fault)
        finally:
            self._found.cancel()


@contextlib.asynccontextmanager
async def opened(caller: Caller, agent: Agent) -> AsyncIterator[Toolset]:
    """What the agent can call for this person now. What cannot be used is among the problems and stops nothing."""
    given = await in_domain(_given, agent)
    found = Toolset(subjects=given.subjects)
    for name, subjects in sorted(given.subjects.items()):
        source = sources.find(name)
        if source is not None:
            offered = await source.offer(caller, agent, subjects)
            found.tools += offered.tools
            found.problems += offered.problems
    async with toolbox.open(caller, list(given.servers)) as box:
        found.tools += [remote.as_tool(box, tool, given.servers[tool.server_id]) for tool in box.tools]
        found.problems += [remote.as_problem(problem) for problem in box.problems]
        found.tools = _distinct(found.tools, given.switched_off)
        yield found


def _distinct(tools: Sequence[ChatTool], switched_off: Collection[tuple[str, str]]) -> list[ChatTool]:
    """Those that are on; of two with one name the first, so that nobody who comes later takes another's place."""
    kept: dict[str, ChatTool] = {}
    for tool in tools:
        if (tool.origin, tool.tool) not in switched_off:
            kept.setdefault(tool.name, tool)
    return list(kept.values())


def _given(agent: Agent) -> Given:
    ids = assigned_ids(agent.pk)
    names = dict(RemoteServer.objects.filter(pk__in=ids).values_list("pk", "name"))
    given = {pk: names[pk] for pk in ids if pk in names}
    return Given(given, subjects_of(agent.pk), frozenset(switched_off(agent.pk)))
