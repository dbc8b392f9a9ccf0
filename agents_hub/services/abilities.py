"""What an agent works with beside remote servers, and single tools that it is not offered."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.chat.sources import KnownTool, Subject, ToolSource, sources
from agents_hub.models import Agent, AgentServer, AgentSubject, SwitchedOff
from agents_hub.services.agent_servers import assigned_ids
from agents_hub.services.agents import find_agent, lock_to_change
from dashboard.numbered_pages import NumberedPage
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote.services.tools import list_tools
from security import audit

# Of one source: each may bring many tools.
MOST_SUBJECTS = 20
OF_SERVERS = "server:"
# The tools that a server is known to have and that admins let be offered.
OFFERED = Q(gone_at=None, enabled=True, held_digest="")


@dataclass(frozen=True, slots=True)
class Given:
    """What there is of a source: what the caller can give the agent, what it has, and the tools that this brings it.

    `lost` are ids it was given of what is gone, or is somebody else's.
    """

    source: ToolSource
    choices: Sequence[Subject]
    assigned: frozenset[str]
    lost: Sequence[str]
    tools: Sequence[KnownTool]
    off: frozenset[str]

    @property
    def on_count(self) -> int:
        return sum(tool.tool not in self.off for tool in self.tools)


@dataclass(frozen=True, slots=True)
class ServerTools:
    """An assigned server and, of its tools that are known and may be offered, how many the agent is offered."""

    server: RemoteServer
    known: int
    on: int


def subjects_of(agent_id: UUID) -> dict[str, list[str]]:
    """The ids of what the agent was given, by source."""
    found: dict[str, list[str]] = {}
    given = AgentSubject.objects.filter(agent_id=agent_id).order_by("pk")
    for source, subject in given.values_list("source", "subject"):
        found.setdefault(source, []).append(subject)
    return found


def origin_of(server_id: int) -> str:
    """The origin of the tools that a remote server brings."""
    return f"{OF_SERVERS}{server_id}"


def server_of(origin: str) -> int | None:
    """The remote server that such an origin names; none of other origins."""
    number = origin.removeprefix(OF_SERVERS)
    return int(number) if number != origin else None


def switched_off(agent_id: UUID) -> set[tuple[str, str]]:
    """The tools that the agent is not offered, as (origin, tool)."""
    return set(SwitchedOff.objects.filter(agent_id=agent_id).values_list("origin", "tool"))


def what_is_given(caller: Caller, *, agent_id: UUID, source: str) -> Given:
    """What the agent has of a source, and what else there is; `NotFound` for a source there is not."""
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    found = _source(source)
    assigned = subjects_of(agent.pk).get(source, [])
    choices = found.choices(caller, agent)
    there = {choice.id for choice in choices}
    return Given(
        source=found,
        choices=choices,
        assigned=frozenset(assigned),
        lost=[one for one in assigned if one not in there],
        tools=found.tools(caller, agent, assigned),
        off=frozenset(tool for origin, tool in switched_off(agent.pk) if origin == source),
    )


def change_subjects(
    caller: Caller, *, agent_id: UUID, source: str, add: Collection[str], remove: Collection[str]
) -> None:
    """Give the agent some of the caller's own and take others away, whosesoever they are."""
    with transaction.atomic():
        # Whoever changes them beside us waits here, so that the number holds.
        agent = lock_to_change(caller, agent_id)
        found = _source(source)
        there = set(subjects_of(agent.pk).get(source, []))
        added, removed = sorted(set(add) - there), sorted(set(remove) & there)
        if added and not set(added) <= {choice.id for choice in found.choices(caller, agent)}:
            raise NotFound(f"That is not one of the {found.label.lower()} you can give this agent.")
        if len(there) + len(added) - len(removed) > MOST_SUBJECTS:
            raise Invalid(f"An agent works with at most {MOST_SUBJECTS} {found.label.lower()}.")
        AgentSubject.objects.filter(agent=agent, source=source, subject__in=removed).delete()
        AgentSubject.objects.bulk_create(AgentSubject(agent=agent, source=source, subject=one) for one in added)
        if added or removed:
            detail = {"source": source, "added": added, "removed": removed}
            audit.record("agent.subjects", caller=caller, target=f"agent:{agent.pk}", detail=detail)


def switch_tools(caller: Caller, *, agent_id: UUID, origin: str, off: Collection[str], on: Collection[str]) -> None:
    """Switch single tools of a source or server off and on. `NotFound` for what the agent was not given."""
    with transaction.atomic():
        agent = lock_to_change(caller, agent_id)
        there = {tool for where, tool in switched_off(agent.pk) if where == origin}
        added, removed = sorted(set(off) - there), sorted(set(on) & there)
        if not set(added) <= _known(caller, agent, origin, added):
            raise NotFound("The agent was given no such tool. The list may have changed; look at it again.")
        SwitchedOff.objects.filter(agent=agent, origin=origin, tool__in=removed).delete()
        SwitchedOff.objects.bulk_create(SwitchedOff(agent=agent, origin=origin, tool=tool) for tool in added)
        if added or removed:
            detail = {"origin": origin, "off": added, "on": removed}
            audit.record("agent.tools", caller=caller, target=f"agent:{agent.pk}", detail=detail)


def page_of_tools(
    caller: Caller, *, agent_id: UUID, server_id: int, page: int = 1, page_size: int = 25
) -> tuple[RemoteServer, NumberedPage[RemoteTool], set[str]]:
    """An assigned server, its tools as they were last listed, and which of them the agent is not offered."""
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    assigned = AgentServer.objects.filter(agent=agent, server=server_id).select_related("server").first()
    if assigned is None:
        raise NotFound("The agent does not use this server. Assign it first.")
    tools = list_tools(caller, server_id=server_id, page=page, page_size=page_size)
    off = {tool for origin, tool in switched_off(agent.pk) if origin == origin_of(server_id)}
    return assigned.server, tools, off


def tools_of_servers(agent: Agent) -> list[ServerTools]:
    """The assigned servers in their order. Those that are disabled bring nothing."""
    ids = assigned_ids(agent.pk)
    servers = RemoteServer.objects.in_bulk(ids)
    offered = RemoteTool.objects.filter(OFFERED, server__in=servers).order_by()
    known = dict(offered.values_list("server_id").annotate(Count("pk")))
    off = switched_off(agent.pk)
    named = offered.filter(name__in={tool for _, tool in off}).values_list("server_id", "name")
    off_counts = dict.fromkeys(servers, 0)
    for server_id, name in named:
        off_counts[server_id] += (origin_of(server_id), name) in off
    return [
        ServerTools(servers[pk], known.get(pk, 0), known.get(pk, 0) - off_counts[pk] if servers[pk].enabled else 0)
        for pk in ids
        if pk in servers
    ]


def tool_count(caller: Caller, agent: Agent, servers: Iterable[ServerTools]) -> int:
    """How many tools the agent is offered, as far as they are known."""
    given, off = subjects_of(agent.pk), switched_off(agent.pk)
    own = sum(
        (source.name, tool.tool) not in off
        for source in sources
        for tool in source.tools(caller, agent, given.get(source.name, []))
    )
    return own + sum(one.on for one in servers)


def _source(name: str) -> ToolSource:
    source = sources.find(name)
    if source is None:
        raise NotFound("There is nothing of this kind that an agent can be given.")
    return source


def _known(caller: Caller, agent: Agent, origin: str, tools: Sequence[str]) -> set[str]:
    """Those of the tools that what the agent was given brings, as far as is known."""
    if (source := sources.find(origin)) is not None:
        assigned = subjects_of(agent.pk).get(origin, [])
        return {tool.tool for tool in source.tools(caller, agent, assigned)}
    for server_id in assigned_ids(agent.pk):
        if origin == origin_of(server_id):
            rows = RemoteTool.objects.filter(server=server_id, name__in=tools, gone_at=None)
            return set(rows.values_list("name", flat=True))
    return set()
