"""What is taken back while an answer goes on is not used any more, however long the answer has waited by then."""

from collections.abc import Awaitable, Callable

import pytest
from asgiref.sync import sync_to_async

from accounts.models import Membership, User
from agents_hub.chat.withdrawn import TAKEN
from agents_hub.models import Agent, AgentServer, AgentSubject, Stage, SwitchedOff, ToolUse, Turn, TurnStatus
from bots.models import Bot
from mcp_gateway.models import RemoteServer, RemoteTool
from tests.agents_hub.chat.talks import Talk, asked, asking_first, begun, calling, remote_name
from tests.bots.factories import BotFactory
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply

pytestmark = pytest.mark.django_db


def allowed_after(talk: Talk, turn: Turn, taking_back: Callable[[], object]) -> Callable[[], Awaitable[None]]:
    """Something is taken back while the person is asked, who then allows the call."""

    async def meanwhile() -> None:
        await talk.inquiry(turn)
        await sync_to_async(taking_back)()
        await talk.reply(turn, "once")

    return meanwhile


TAKING_BACK: dict[str, tuple[Callable[[RemoteServer], object], str]] = {
    "disabled": (lambda server: RemoteServer.objects.filter(pk=server.pk).update(enabled=False), "was disabled"),
    "tool off": (lambda server: RemoteTool.objects.filter(server=server).update(enabled=False), "was switched off"),
    "moved": (lambda server: RemoteServer.objects.filter(pk=server.pk).update(url="http://127.0.0.1:9/mcp"), "address"),
    "not assigned": (lambda server: AgentServer.objects.all().delete(), TAKEN),
    "off for the agent": (
        lambda server: SwitchedOff.objects.create(
            agent=AgentServer.objects.get(server=server).agent, origin=f"server:{server.pk}", tool="echo"
        ),
        TAKEN,
    ),
}


@pytest.mark.parametrize("how", TAKING_BACK)
def test_a_tool_that_is_taken_back_while_the_person_is_asked_is_not_called(
    talk: Talk, model: ModelProvider, server: McpServer, how: str
) -> None:
    take_back, told = TAKING_BACK[how]
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
    turn = begun(talk)
    ended = talk.answered(turn, allowed_after(talk, turn, lambda: take_back(printer)))
    assert not server.asked("tools/call")
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.FAILED
    assert told in asked(model)[-1]["content"]
    assert ended.status == TurnStatus.COMPLETED


WITHDRAWING: dict[str, Callable[[Talk], object]] = {
    "in development": lambda talk: Agent.objects.update(stage=Stage.DEVELOPMENT),
    "left": lambda talk: Membership.objects.filter(user=talk.caller.user_id).delete(),
    "switched off": lambda talk: User.objects.filter(pk=talk.caller.user_id).update(is_active=False),
}


@pytest.mark.parametrize("how", WITHDRAWING)
def test_an_answer_ends_at_its_next_step_for_whom_the_agent_is_withdrawn(
    talk: Talk, model: ModelProvider, server: McpServer, how: str
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "ship"), order="7"), Reply()]
    turn = begun(talk)

    async def meanwhile() -> None:
        inquiry = await talk.inquiry(turn)
        answered = type(inquiry).objects.filter(pk=inquiry.pk)
        await sync_to_async(WITHDRAWING[how])(talk)
        await sync_to_async(answered.update)(answer={"action": "decline"}, answered_at=inquiry.asked_at)

    ended = talk.answered(turn, meanwhile)
    assert (ended.status, ended.error_code) == (TurnStatus.ERROR, "not_found")
    assert len(model.seen) == 1


def test_a_bot_that_is_taken_from_the_agent_meanwhile_is_not_acted_on(talk: Talk, model: ModelProvider) -> None:
    bot: Bot = BotFactory(owner_id=talk.caller.user_id)
    AgentSubject.objects.create(agent=talk.agent, source="bots", subject=str(bot.pk))
    ban = calling("bot_mod_banUser", guildId="1", userId="2", reason="spam")
    model.answers += [ban, Reply()]
    turn = begun(talk)
    talk.answered(turn, allowed_after(talk, turn, lambda: AgentSubject.objects.all().delete()))
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.FAILED
    assert TAKEN in asked(model)[-1]["content"]
