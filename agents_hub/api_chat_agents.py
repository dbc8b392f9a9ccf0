"""The REST routes by which agents are made, changed and released for those who talk to them."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.chat.sources import sources
from agents_hub.services import abilities, agent_sides, agents, audiences
from agents_hub.shapes.agent_sides import (
    AbilitiesShape,
    AbilityShape,
    AgentSideShape,
    ChangeAgent,
    ListPeople,
    MakeAgent,
    OneAgent,
    PersonPage,
    PersonShape,
)
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY, chat_api
from mcp_gateway.shapes import Nothing

AGENT = "agents/{agentId}"


@registry.tool("chatAgentCreate", server=REST_ONLY, scope=Scope.WRITE, title="Make an agent")
def make_agent(caller: Caller, arguments: MakeAgent) -> AgentSideShape:
    """Make an agent, in development unless you say otherwise: then you and admins may talk to it."""
    made = agent_sides.make_agent(caller, organization_id=arguments.organization_id, changes=arguments.changes())
    return AgentSideShape.of(made)


@registry.tool("chatAgentGet", server=REST_ONLY, scope=Scope.READ, title="Get an agent", read_only=True)
def get_agent(caller: Caller, arguments: OneAgent) -> AgentSideShape:
    """Fetch all that an agent is to those who talk to it, for any member of its organization."""
    return AgentSideShape.of(agent_sides.side_of(caller, arguments.agent_id))


@registry.tool("chatAgentUpdate", server=REST_ONLY, scope=Scope.WRITE, title="Change an agent", idempotent=True)
def change_agent(caller: Caller, arguments: ChangeAgent) -> AgentSideShape:
    """Change what is sent and keep the rest. Lists are sent whole.

    Any member changes an agent in development; a released one is changed by whoever made it and by admins. These alone
    say who may talk to it: stage, audience and people.
    """
    return AgentSideShape.of(agent_sides.change_agent(caller, arguments.agent_id, arguments.changes()))


@registry.tool("chatAgentDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete an agent", destructive=True)
def delete_agent(caller: Caller, arguments: OneAgent) -> Nothing:
    """Delete an agent with all that hangs on it: conversations with it, workflows, executions, files. It is final."""
    agents.delete_agent(caller, agent_id=arguments.agent_id)
    return Nothing()


@registry.tool("chatAgentPeopleList", server=REST_ONLY, scope=Scope.READ, title="List people", read_only=True)
def list_people(caller: Caller, arguments: ListPeople) -> PersonPage:
    """List the members of the agent's organization by name, and who of them is chosen to talk to it."""
    page, chosen = audiences.page_of_members(
        caller, agent_id=arguments.agent_id, page=arguments.page, page_size=arguments.page_size
    )
    return PersonPage(
        items=[PersonShape.of(member, chosen) for member in page.rows],
        page=page.number,
        page_size=page.size,
        total=page.total,
    )


@registry.tool("chatAgentAbilitiesList", server=REST_ONLY, scope=Scope.READ, title="List abilities", read_only=True)
def list_abilities(caller: Caller, arguments: OneAgent) -> AbilitiesShape:
    """List what the agent can be given beside remote servers, what it was given of it, and the tools that brings."""
    found = [abilities.what_is_given(caller, agent_id=arguments.agent_id, source=one.name) for one in sources]
    return AbilitiesShape(abilities=[AbilityShape.of(given) for given in found])


chat_api.add("POST", "agents", "chatAgentCreate", server=REST_ONLY)
chat_api.add("GET", AGENT, "chatAgentGet", server=REST_ONLY)
chat_api.add("PATCH", AGENT, "chatAgentUpdate", server=REST_ONLY)
chat_api.add("DELETE", AGENT, "chatAgentDelete", server=REST_ONLY)
chat_api.add("GET", f"{AGENT}/people", "chatAgentPeopleList", server=REST_ONLY)
chat_api.add("GET", f"{AGENT}/abilities", "chatAgentAbilitiesList", server=REST_ONLY)
