"""An agent with everything it can have for those who talk to it: servers, a bot, tools switched off, chosen people."""

from accounts.caller import Caller
from accounts.models import Membership, Role
from agents_hub.models import Agent
from agents_hub.services.abilities import change_subjects, origin_of, switch_tools
from agents_hub.services.agent_rules import ChatFields
from agents_hub.services.agent_servers import change_servers
from agents_hub.services.agents import update_agent
from agents_hub.services.audiences import set_audience
from bots.models import Bot
from mcp_gateway.models import RemoteServer
from tests.factories import UserFactory


def fill(caller: Caller, agent: Agent, bot: Bot) -> None:
    """Give the agent of a populated organization the rows that its pages show."""
    colleague = UserFactory.create(email="mats@example.com", name="Mats Bergqvist-Holmström of the outer dock")
    Membership.objects.create(user=colleague, organization=agent.organization, role=Role.MEMBER)
    chat = ChatFields(
        instructions="Read the tables and answer shortly.",
        temperature=0.2,
        conversation_starters=["When is low water?", "Which berths are free?"],
    )
    update_agent(caller, agent_id=agent.pk, name=agent.name, description=agent.description, chat=chat)
    servers = RemoteServer.objects.filter(organization=agent.organization, name__in=("HubSpot", "Warehouse"))
    change_servers(caller, agent_id=agent.pk, add=[server.pk for server in servers], remove=[])
    crm = next(server for server in servers if server.name == "HubSpot")
    switch_tools(caller, agent_id=agent.pk, origin=origin_of(crm.pk), off=["list_owners"], on=[])
    change_subjects(caller, agent_id=agent.pk, source="bots", add=[str(bot.pk)], remove=[])
    switch_tools(caller, agent_id=agent.pk, origin="bots", off=["mod.banUser"], on=[])
    set_audience(caller, agent_id=agent.pk, stage="released", audience="chosen", add=[colleague.pk])
