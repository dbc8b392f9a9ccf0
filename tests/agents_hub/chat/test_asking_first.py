"""Turns in which the person is asked: whether a tool may run, once or for the chat, and what a server wants to know."""

import pytest

from agents_hub.models import ToolUse
from tests.agents_hub.chat.talks import Talk, asked, asking_first, begun, calling, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply

pytestmark = pytest.mark.django_db


def test_a_tool_that_asks_first_runs_once_it_is_allowed(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
    turn = begun(talk)
    talk.answered(turn, lambda: talk.reply(turn, "once"))
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.DONE
    assert len(server.asked("tools/call")) == 1


def test_a_tool_that_is_denied_does_not_run_and_the_model_is_told(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
    turn = begun(talk)
    talk.answered(turn, lambda: talk.reply(turn, "deny"))
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.DENIED
    assert not server.asked("tools/call")
    assert "did not allow" in asked(model)[-1]["content"]


def test_what_is_allowed_for_the_chat_is_not_asked_again_until_the_tool_changes(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    echo = calling(remote_name(printer, "echo"), text="ink")
    model.answers += [echo, Reply()]
    turn = begun(talk)
    talk.answered(turn, lambda: talk.reply(turn, "always"))
    model.answers += [echo, Reply()]
    assert talk.say("Again").inquiries.count() == 0
    talk.conversation.grants.update(digest="of another definition")
    model.answers += [echo, Reply()]
    third = begun(talk)
    talk.answered(third, lambda: talk.reply(third, "deny"))
    assert third.inquiries.count() == 1


def test_another_conversation_asks_for_itself(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = asking_first(talk, server)
    echo = calling(remote_name(printer, "echo"), text="ink")
    model.answers += [echo, Reply()]
    turn = begun(talk)
    talk.answered(turn, lambda: talk.reply(turn, "always"))
    other = Talk.begin(talk.caller, talk.agent)
    model.answers += [echo, Reply()]
    turn = begun(other)
    other.answered(turn, lambda: other.reply(turn, "once"))
    assert turn.inquiries.count() == 1


def test_a_servers_own_question_is_put_to_the_person(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "ship"), order="7"), Reply()]
    turn = begun(talk)
    talk.answered(turn, lambda: talk.reply(turn, "accept", street="Elm Street"))
    (inquiry,) = turn.inquiries.all()
    assert (inquiry.kind, inquiry.asked_by) == ("form", printer.name)
    assert "Elm Street" in asked(model)[-1]["content"]


def test_what_is_allowed_for_the_chat_is_allowed_to_the_rounds_other_calls_of_the_tool(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    echo = remote_name(printer, "echo")
    model.answers += [Reply(pieces=(), calls=tuple((echo, f'{{"text": "{each}"}}') for each in "abc")), Reply()]
    turn = begun(talk)

    async def allow() -> None:
        while await turn.inquiries.acount() < 3:
            await talk.moment()
        await talk.reply(turn, "always")

    talk.answered(turn, allow)
    assert {use.status for use in turn.tool_uses.all()} == {ToolUse.Status.DONE}
    assert len(server.asked("tools/call")) == 3
