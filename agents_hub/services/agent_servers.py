"""Assigning remote MCP servers to an agent: the list to choose from, and changing the choice."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import transaction

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.models import Agent, AgentServer
from agents_hub.services.agents import find_agent, lock_to_change
from dashboard.numbered_pages import NumberedPage
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.services import servers
from security import audit

# Each is asked for its tools when an answer begins; of many tools the model searches those it needs.
MOST_SERVERS = 100


def page_of_servers(
    caller: Caller, *, agent_id: UUID, page: int = 1, page_size: int = 25
) -> tuple[NumberedPage[RemoteServer], set[int]]:
    """The servers of the agent's organization by name, and which of those shown are assigned to the agent."""
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    shown = servers.list_servers(caller, organization_id=agent.organization.uid, page=page, page_size=page_size)
    assigned = AgentServer.objects.filter(agent=agent, server__in=[server.pk for server in shown.rows])
    return shown, set(assigned.values_list("server_id", flat=True))


def assigned_ids(agent_id: UUID) -> list[int]:
    """The servers assigned to the agent, those assigned first before the others: for whoever runs it."""
    assigned = AgentServer.objects.filter(agent_id=agent_id).order_by("pk")
    return list(assigned.values_list("server_id", flat=True)[:MOST_SERVERS])


def has_enabled(agent_id: UUID) -> bool:
    """Whether any of the agent's servers can be used."""
    return AgentServer.objects.filter(agent_id=agent_id, server__enabled=True).exists()


def change_servers(caller: Caller, *, agent_id: UUID, add: Collection[int], remove: Collection[int]) -> None:
    """Assign some servers to the agent and take others away. `NotFound` for one of another organization."""
    with transaction.atomic():
        # Whoever changes them beside us waits here, so that the number holds.
        agent = lock_to_change(caller, agent_id)
        there = set(AgentServer.objects.filter(agent=agent).values_list("server_id", flat=True))
        added, removed = sorted(set(add) - there), sorted(set(remove) & there)
        _refuse_others(agent, added)
        if len(there) + len(added) - len(removed) > MOST_SERVERS:
            raise Invalid(f"An agent works with at most {MOST_SERVERS} servers.", data={"field": "servers"})
        AgentServer.objects.filter(agent=agent, server__in=removed).delete()
        AgentServer.objects.bulk_create(
            AgentServer(agent=agent, server_id=server_id, assigned_by_id=caller.user_id) for server_id in added
        )
        if added or removed:
            detail = {"added": added, "removed": removed}
            audit.record("agent.servers", caller=caller, target=f"agent:{agent.pk}", detail=detail)


def _refuse_others(agent: Agent, server_ids: Sequence[int]) -> None:
    own = RemoteServer.objects.filter(organization=agent.organization_id, pk__in=server_ids).count()
    if own != len(server_ids):
        raise NotFound("There is no such server in the agent's organization. It may have been deleted.")
