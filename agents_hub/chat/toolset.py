"""All that an agent can call in one turn: remote servers' tools and those of the platform's products.

Connections are opened for the turn and closed with it, however it ends.
"""

import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field

from accounts.caller import Caller
from agents_hub.chat import remote
from agents_hub.chat.sources import ChatTool, Problem, sources
from agents_hub.models import Agent, AgentSubject, SwitchedOff
from agents_hub.services.agent_servers import assigned_ids
from mcp_gateway.models import RemoteServer
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import toolbox


@dataclass(slots=True)
class Toolset:
    tools: list[ChatTool] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Given:
    """What the agent was given: servers with their names, subjects by source, and what is switched off of them."""

    servers: dict[int, str]
    subjects: dict[str, list[str]]
    switched_off: frozenset[tuple[str, str]]


@contextlib.asynccontextmanager
async def opened(caller: Caller, agent: Agent) -> AsyncIterator[Toolset]:
    """What the agent can call for this person now. What cannot be used is among the problems and stops nothing."""
    given = await in_domain(_given, agent)
    found = Toolset()
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
    subjects: dict[str, list[str]] = {}
    for source, subject in AgentSubject.objects.filter(agent=agent).order_by("pk").values_list("source", "subject"):
        subjects.setdefault(source, []).append(subject)
    off = frozenset(SwitchedOff.objects.filter(agent=agent).values_list("origin", "tool"))
    return Given({pk: names[pk] for pk in ids if pk in names}, subjects, off)
