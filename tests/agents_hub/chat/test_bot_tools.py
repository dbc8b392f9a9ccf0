"""The bots' tools in a chat: for the bots that the agent was given and the caller owns, and for no others."""

from typing import Any

import pytest
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.models import Role
from accounts.scopes import Scope
from agents_hub.chat.own_tools import OwnTools
from agents_hub.models import Agent
from bots.models import Bot, ModerationCase, RewardKind, Ticket
from bots.services import gift_codes
from bots.services.gift_codes import Reward
from mcp_gateway.registry import registry
from security.models import AuditEntry
from tests.agents_hub.chat.calling import called, offered, tools_by_name
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.conftest import Harbour
from tests.bots.factories import BotFactory, GuildFactory, TicketFactory
from tests.factories import MembershipFactory, caller_for

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_this_thread(settings: Settings) -> None:
    settings.QUICK_THREADS = 0


@pytest.fixture
def agent() -> Agent:
    made: Agent = AgentFactory()
    return made


@pytest.fixture
def bot() -> Bot:
    made: Bot = BotFactory(name="Harbourmaster")
    return made


@pytest.fixture
def owner(bot: Bot, agent: Agent) -> Caller:
    MembershipFactory(user=bot.owner, organization=agent.organization)
    return caller_for(bot.owner, Scope.WRITE, Door.CHAT)


def test_with_one_bot_the_model_is_not_asked_which(agent: Agent, owner: Caller, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    tool = tools_by_name(offered("bots", owner, agent, bot.pk))["bot_ticket_list"]
    assert "botId" not in tool.parameters["properties"]
    assert "botId" not in tool.parameters.get("required", [])
    outcome = called(tool, owner)
    assert [one["id"] for one in outcome.structured["tickets"]] == [str(ticket.pk)]


def test_with_several_bots_the_model_chooses_among_them_by_name(agent: Agent, owner: Caller, bot: Bot) -> None:
    second = BotFactory(owner=bot.owner, name="Nightwatch")
    TicketFactory(guild=GuildFactory(bot=second))
    tool = tools_by_name(offered("bots", owner, agent, bot.pk, second.pk))["bot_ticket_list"]
    asked = tool.parameters["properties"]["botId"]
    assert asked["enum"] == [str(bot.pk), str(second.pk)]
    assert "Nightwatch" in asked["description"]
    assert "botId" in tool.parameters["required"]
    assert len(called(tool, owner, botId=str(second.pk)).structured["tickets"]) == 1


def test_another_bot_of_the_same_person_is_out_of_reach_by_whatever_names_it(
    agent: Agent, owner: Caller, bot: Bot
) -> None:
    other = BotFactory(owner=bot.owner)
    ticket = TicketFactory(guild=GuildFactory(bot=other), subject="A secret of the other bot")
    (made,) = gift_codes.generate_codes(owner, bot_id=other.pk, rewards=[Reward(RewardKind.XP, amount=1)], max_uses=1)
    tools = tools_by_name(offered("bots", owner, agent, bot.pk))
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("bot_ticket_list", {"botId": str(other.pk)}),
        ("bot_ticket_list", {"botId": other.pk}),
        ("bot_ticket_get", {"ticketId": str(ticket.pk)}),
        ("bot_ticket_getTranscript", {"ticketId": f"{ticket.pk:019d}"}),
        ("bot_ticket_close", {"ticketId": str(ticket.pk), "reason": "Not mine"}),
        ("bot_giftCode_revoke", {"codeId": str(made.row.pk)}),
        ("bot_stats_getBotSummary", {"botId": str(other.pk)}),
    ]
    for name, arguments in attempts:
        outcome = called(tools[name], owner, **arguments)
        assert outcome.is_error, name
        assert "secret" not in outcome.text
        assert "works with Harbourmaster" in outcome.text
    ticket.refresh_from_db()
    made.row.refresh_from_db()
    assert ticket.status == Ticket.Status.OPEN
    assert made.row.revoked_at is None
    refused = AuditEntry.objects.filter(action="mcp.call", outcome="refused", error_code="not_found")
    assert refused.count() == len(attempts)


def test_every_tool_that_is_offered_is_about_a_bot(agent: Agent, owner: Caller, bot: Bot) -> None:
    """What is about none, such as the person's own subscription, names all of their bots."""
    offered_here = {tool.tool for tool in offered("bots", owner, agent, bot.pk).tools}
    assert {tool.name for tool in registry.tools("bots")} - offered_here == {"stats.getOwnSubscription"}


def test_a_bot_of_somebody_else_is_a_problem_and_no_tool_for_those_in_charge_of_the_agent(
    agent: Agent, bot: Bot
) -> None:
    admin = MembershipFactory(organization=agent.organization, role=Role.ADMIN).user
    given = offered("bots", caller_for(admin, Scope.WRITE, Door.CHAT), agent, bot.pk)
    assert not given.tools
    (problem,) = given.problems
    assert problem.code == "not_yours"
    assert "One bot that this agent was given belongs to somebody else or is gone" in problem.message
    assert bot.name not in problem.message
    assert str(bot.pk) not in problem.origin_name + problem.message


def test_those_who_cannot_give_an_agent_other_bots_do_not_hear_of_them_in_every_answer(agent: Agent, bot: Bot) -> None:
    colleague = caller_for(member_of(agent.organization), Scope.WRITE, Door.CHAT)
    given = offered("bots", colleague, agent, bot.pk)
    assert (given.tools, given.problems) == ([], [])


def test_the_tools_of_a_bot_do_nothing_for_somebody_else(agent: Agent, owner: Caller, bot: Bot) -> None:
    """Not even where they were offered to its owner before."""
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    tools = tools_by_name(offered("bots", owner, agent, bot.pk))
    colleague = caller_for(member_of(agent.organization), Scope.ADMIN, Door.CHAT)
    attempts: list[tuple[str, dict[str, Any]]] = [
        ("bot_ticket_list", {}),
        ("bot_ticket_close", {"ticketId": str(ticket.pk), "reason": "Not mine"}),
    ]
    for name, arguments in attempts:
        assert called(tools[name], colleague, **arguments).is_error
    ticket.refresh_from_db()
    assert ticket.status == Ticket.Status.OPEN


def test_who_may_only_read_is_offered_no_tool_that_writes_and_cannot_run_one(
    agent: Agent, owner: Caller, bot: Bot
) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    reader = caller_for(bot.owner, Scope.READ, Door.CHAT)
    assert "bot_ticket_close" not in tools_by_name(offered("bots", reader, agent, bot.pk))
    close = tools_by_name(offered("bots", owner, agent, bot.pk))["bot_ticket_close"]
    outcome = called(close, reader, ticketId=str(ticket.pk), reason="Sneaked in")
    assert outcome.is_error
    assert "needs the scope write" in outcome.text
    ticket.refresh_from_db()
    assert ticket.status == Ticket.Status.OPEN
    assert AuditEntry.objects.get(tool="ticket.close").error_code == "insufficient_scope"


def test_what_destroys_asks_first_and_says_whether_it_may_be_repeated(agent: Agent, owner: Caller, bot: Bot) -> None:
    tools = tools_by_name(offered("bots", owner, agent, bot.pk))
    asking = {name for name, tool in tools.items() if tool.ask_first}
    assert asking == {"bot_ticket_close", "bot_mod_kickUser", "bot_mod_banUser", "bot_giftCode_revoke"}
    assert {name for name, tool in tools.items() if not tool.repeatable} == {
        "bot_ticket_close",
        "bot_giftCode_generate",
        "bot_giftCode_revoke",
    }


def test_a_call_leaves_its_entry_through_the_door_of_chats(agent: Agent, owner: Caller, bot: Bot) -> None:
    ticket = TicketFactory(guild=GuildFactory(bot=bot))
    tools = tools_by_name(offered("bots", owner, agent, bot.pk))
    assert not called(tools["bot_ticket_get"], owner, ticketId=str(ticket.pk)).is_error
    assert not called(tools["bot_ticket_close"], owner, ticketId=str(ticket.pk), reason="Done").is_error
    assert called(tools["bot_ticket_close"], owner, ticketId="x", reason="Done").is_error
    entries = AuditEntry.objects.filter(action="mcp.call").order_by("pk")
    assert [(one.tool, one.door, one.outcome, one.error_code) for one in entries] == [
        ("ticket.get", "chat", "ok", ""),
        ("ticket.close", "chat", "ok", ""),
        ("ticket.close", "chat", "refused", "invalid_arguments"),
    ]
    assert {one.user_id for one in entries} == {bot.owner_id}


def test_what_nobody_foresaw_is_told_as_little_of_as_at_the_endpoint(
    agent: Agent, owner: Caller, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret of the platform")

    monkeypatch.setattr("bots.services.tickets.list_tickets", break_down)
    outcome = called(tools_by_name(offered("bots", owner, agent, bot.pk))["bot_ticket_list"], owner)
    assert outcome.is_error
    assert outcome.text == "ticket.list failed on our side. It is in the log."
    assert AuditEntry.objects.get(tool="ticket.list").error_code == "internal"


def test_the_same_call_made_again_warns_once(harbour: Harbour) -> None:
    """As after a crash: the key is the turn's, and the model neither sees nor chooses it."""
    agent = AgentFactory()
    tool = tools_by_name(offered("bots", harbour.caller, agent, harbour.bot.pk))["bot_mod_warnUser"]
    assert "idempotencyKey" not in tool.parameters["properties"]
    asked: dict[str, Any] = {
        "guildId": str(harbour.guild.discord_id),
        "userId": str(harbour.member_id),
        "reason": "Spam",
    }
    first = called(tool, harbour.caller, key="call 1", **asked, idempotencyKey="chosen by the model")
    again = called(tool, harbour.caller, key="call 1", **asked)
    other = called(tool, harbour.caller, key="call 2", **asked)
    assert first.structured["case"]["id"] == again.structured["case"]["id"] != other.structured["case"]["id"]
    assert ModerationCase.objects.count() == 2


def test_descriptions_speak_of_other_tools_by_the_names_they_have_here(agent: Agent, owner: Caller, bot: Bot) -> None:
    tools = tools_by_name(offered("bots", owner, agent, bot.pk))
    told = [tool.description + str(tool.parameters) for tool in tools.values()]
    assert "comes from bot_ticket_getTranscript" in tools["bot_ticket_get"].description
    assert "as bot_ticket_list gives it" in tools["bot_ticket_get"].parameters["properties"]["ticketId"]["description"]
    assert not [text for text in told if "ticket.list" in text or "ticket.get" in text]


def test_what_pages_list_is_what_is_offered(agent: Agent, owner: Caller, bot: Bot) -> None:
    source = OwnTools("bots", "Bots")
    listed = {(tool.tool, tool.ask_first) for tool in source.tools(owner, agent, [str(bot.pk)])}
    assert listed == {(tool.tool, tool.ask_first) for tool in offered("bots", owner, agent, bot.pk).tools}
    assert [one.name for one in source.choices(owner, agent)] == ["Harbourmaster"]
    assert not source.tools(owner, agent, [])


def test_subjects_that_are_no_ids_name_nobodys_bot(agent: Agent, owner: Caller) -> None:
    admin = MembershipFactory(organization=agent.organization, role=Role.ADMIN).user
    given = offered("bots", caller_for(admin), agent, "x", "\N{FULLWIDTH DIGIT ONE}", "9" * 30)
    assert not given.tools
    (problem,) = given.problems
    assert problem.message.startswith("3 bots that this agent was given")
