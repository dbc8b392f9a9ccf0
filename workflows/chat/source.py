"""The source of tools that run workflows: whose there are, what the tools are called, why one cannot be used."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.chat.sources import KnownTool, Offered, Problem, Subject
from agents_hub.models import Agent
from mcp_gateway.offload import in_domain
from security.identifiers import uuid_or_none
from workflows.chat.runs import LABEL, LOOK, LOOK_ABOUT, NAME, Runnable, look_tool, run_tool
from workflows.models import Publication

MOST_CHOICES = 300
# A name is `run_`, the agent's in plain letters, and the last digits of its id: at most 64 characters, and never two
# `_` in a row, which all names of remote tools have.
LONGEST_SLUG, LONGEST_SLUG_BESIDE_ID, DIGITS = 40, 26, 6
PLAIN = re.compile(r"[^a-z0-9]+")


class WorkflowRuns:
    """The source of these tools. A run belongs to whoever talks to the agent, and uses that person's connections."""

    @property
    def name(self) -> str:
        return NAME

    @property
    def label(self) -> str:
        return LABEL

    def choices(self, caller: Caller, agent: Agent) -> Sequence[Subject]:
        published = Publication.objects.values("agent_id")
        agents = Agent.objects.for_caller(caller).filter(organization=agent.organization_id, pk__in=published)
        return [Subject(str(one.pk), one.name, one.description) for one in agents.order_by("name")[:MOST_CHOICES]]

    def tools(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Sequence[KnownTool]:
        found = _runnable(caller, agent, subjects)
        runs = [KnownTool(str(one.agent.pk), f"Run {one.agent.name}", one.agent.description) for one in found]
        return [*runs, KnownTool(LOOK, "Look at a run", LOOK_ABOUT)] if runs else []

    async def offer(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Offered:
        return await in_domain(self._offer, caller, agent, subjects)

    def _offer(self, caller: Caller, agent: Agent, subjects: Sequence[str]) -> Offered:
        found = _runnable(caller, agent, subjects)
        names = tool_names(one.agent for one in found)
        offered = Offered(problems=_problems(caller, agent, subjects, found))
        if caller.scope.includes(Scope.WRITE):
            offered.tools += [run_tool(names[one.agent.pk], one) for one in found]
        if found:
            offered.tools.append(look_tool(frozenset(one.agent.pk for one in found)))
        return offered


def tool_names(agents: Iterable[Agent]) -> dict[UUID, str]:
    """The tool's name for each agent. Those whose ids end alike have them whole in their names."""
    agents = list(agents)
    alike = Counter(agent.pk.hex[-DIGITS:] for agent in agents)
    return {agent.pk: _tool_name(agent, whole=alike[agent.pk.hex[-DIGITS:]] > 1) for agent in agents}


def _tool_name(agent: Agent, *, whole: bool) -> str:
    slug = PLAIN.sub("_", agent.name.lower())
    slug = slug[: LONGEST_SLUG_BESIDE_ID if whole else LONGEST_SLUG].strip("_") or "workflow"
    return f"run_{slug}_{agent.pk.hex if whole else agent.pk.hex[-DIGITS:]}"


def _runnable(caller: Caller, agent: Agent, subjects: Sequence[str]) -> list[Runnable]:
    """Those of the agent's organization that the caller reaches and that have a published version, in their order."""
    wanted = [made for one in dict.fromkeys(subjects) if (made := uuid_or_none(one))]
    agents = Agent.objects.for_caller(caller).filter(organization=agent.organization_id).in_bulk(wanted)
    newest = (
        Publication.objects.filter(agent__in=agents)
        .order_by("agent_id", "-id")
        .distinct("agent_id")
        .values_list("agent_id", "workflow_id", "workflow__version")
    )
    versions = {agent_id: (workflow_id, version) for agent_id, workflow_id, version in newest}
    return [Runnable(agents[one], *versions[one]) for one in wanted if one in versions]


def _problems(caller: Caller, agent: Agent, subjects: Sequence[str], found: Sequence[Runnable]) -> list[Problem]:
    there = {str(one.agent.pk) for one in found}
    missing = [uuid_or_none(one) for one in dict.fromkeys(subjects) if one not in there]
    own = Agent.objects.for_caller(caller).filter(organization=agent.organization_id)
    named = own.in_bulk([one for one in missing if one])
    return [_problem(named.get(one) if one else None) for one in missing]


def _problem(agent: Agent | None) -> Problem:
    if agent is None:
        return Problem(NAME, LABEL, "gone", "A workflow that this agent was given is gone. Remove it from the agent.")
    told = f"“{agent.name}” has no published workflow, so it cannot be run. Publish one on its page."
    return Problem(NAME, agent.name, "not_published", told)
