"""Tools in turns: offered as they are or by a search, called, and their results and faults told to the model."""

import pytest
from pytest_django import Settings

from agents_hub.models import ToolUse, TurnEvent, TurnStatus
from agents_hub.services import turns
from tests.agents_hub.chat.talks import Talk, asked, calling, offered, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = pytest.mark.django_db


def test_tools_of_the_agents_servers_are_called_and_the_answer_goes_on_from_their_results(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    echo = remote_name(printer, "echo")
    model.answers += [calling(echo, text="ink"), Reply(pieces=("Printed.",))]
    turn = talk.say("Print ink")
    assert turn.answer.text == "Printed."
    (use,) = ToolUse.objects.filter(turn=turn)
    assert (use.status, use.origin_name, use.arguments) == (ToolUse.Status.DONE, printer.name, {"text": "ink"})
    assert echo in offered(model)
    assert asked(model)[-1]["role"] == "tool"
    assert "ink" in asked(model)[-1]["content"]
    assert server.under_way == 0


def test_a_tool_that_fails_is_told_to_the_model_which_goes_on(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "fail")), Reply(pieces=("It burns.",))]
    turn = talk.say()
    assert turn.status == TurnStatus.COMPLETED
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.FAILED
    assert "The printer is on fire." in asked(model)[-1]["content"]


def test_an_agent_with_many_tools_searches_them_and_calls_what_it_found(
    talk: Talk, model: ModelProvider, server: McpServer, settings: Settings
) -> None:
    settings.CHAT_TOOLS_DIRECT = 3
    printer = talk.give(server)
    echo = remote_name(printer, "echo")
    model.answers += [calling("search_tools", query="echo text"), calling(echo, text="ink"), Reply()]
    turn = talk.say()
    assert turn.status == TurnStatus.COMPLETED
    assert offered(model, 0) == ["search_tools"]
    assert echo in offered(model, 1)
    assert len(server.asked("tools/call")) == 1
    shown = TurnEvent.objects.get(turn=turn, kind="tools").body
    assert shown["searched"]
    talk.say("And again")
    assert echo in offered(model)


def test_a_tool_that_is_switched_off_is_not_there_even_when_it_is_called(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    talk.agent.switched_off.create(origin=f"server:{printer.pk}", tool="echo")
    echo = remote_name(printer, "echo")
    model.answers += [calling(echo, text="ink"), Reply()]
    turn = talk.say()
    assert echo not in offered(model)
    assert "no tool" in asked(model)[-1]["content"]
    assert not server.asked("tools/call")
    (use,) = turn.tool_uses.all()
    assert (use.name, use.status, use.origin_name, use.began_at) == (echo, ToolUse.Status.FAILED, "Not offered", None)


def test_a_call_whose_arguments_cannot_be_read_is_shown(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = talk.give(server)
    model.answers += [Reply(pieces=(), calls=((remote_name(printer, "echo"), "[not json"),)), Reply()]
    turn = talk.say()
    use = turn.tool_uses.get()
    assert (use.status, use.origin_name, use.began_at) == (ToolUse.Status.FAILED, printer.name, None)
    assert "not a JSON object" in use.result["content"][0]["text"]
    assert not server.asked("tools/call")


def test_tools_that_were_found_and_not_called_stay_offered(
    talk: Talk, model: ModelProvider, server: McpServer, settings: Settings
) -> None:
    settings.CHAT_TOOLS_DIRECT = 3
    printer = talk.give(server)
    model.answers += [calling("search_tools", query="echo text"), Fault(401)]
    turn = talk.say()
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert remote_name(printer, "echo") in offered(model)
    talk.say("And now?")
    assert remote_name(printer, "echo") in offered(model)
    assert len(offered(model)) <= 1 + 3
