"""Agents by tool: found here, made on their page."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.services import agents
from agents_hub.shapes.agents import AgentPage, AgentShape, ListAgents
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry


@registry.tool("agentList", server=SERVER, scope=Scope.READ, title="List agents", read_only=True)
def list_agents(caller: Caller, arguments: ListAgents) -> AgentPage:
    """List the agents of one organization, or of all that you belong to, a page at a time.

    Take organizationId from getContext. An agent's id is what profiles, shared files and workflows are asked for by.
    """
    page = agents.list_agents(caller, **dict(arguments))
    return AgentPage(
        items=[AgentShape.of(agent) for agent in page.rows], page=page.number, page_size=page.size, total=page.total
    )
