"""Turns: what is asked is answered, within its bounds and through servers and models that fail."""

import json

import pytest
from pytest_django import Settings

from agents_hub.models import TurnCall, TurnEvent, TurnStatus
from agents_hub.services import turns
from tests.agents_hub.chat.talks import Talk, asked, begun, calling, halfway, offered, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = pytest.mark.django_db


def test_a_question_is_answered(talk: Talk, model: ModelProvider) -> None:
    turn = talk.say("Who are you?")
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "Hello there.")
    assert (turn.input_tokens, turn.cached_tokens, turn.output_tokens) == (100, 40, 10)
    system, question = asked(model)
    assert "You are Helper." in system["content"]
    assert question["content"] == "Who are you?"


def test_the_next_question_comes_with_what_was_said_before(talk: Talk, model: ModelProvider) -> None:
    talk.say("First")
    talk.say("Second")
    assert [message["content"] for message in asked(model)[1:]] == ["First", "Hello there.", "Second"]


def test_text_is_seen_as_it_comes(talk: Talk, model: ModelProvider) -> None:
    turn = talk.say()
    seen = [event.body["text"] for event in TurnEvent.objects.filter(turn=turn, kind="text").order_by("number")]
    assert "".join(seen) == "Hello there."


def test_a_server_that_is_down_is_named_and_stops_nothing(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    talk.give(server)
    away = talk.give(server, slug="away", name="Away")
    type(away).objects.filter(pk=away.pk).update(url="http://127.0.0.1:1/mcp")
    turn = talk.say()
    assert turn.status == TurnStatus.COMPLETED
    (problem,) = TurnEvent.objects.filter(turn=turn, kind="problem")
    assert problem.body["name"] == "Away"
    assert "Away" in asked(model)[0]["content"]
    assert offered(model)


def test_a_server_that_came_back_is_named_no_more_once_the_turn_is_gone_on_with(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    away = talk.give(server)
    type(away).objects.filter(pk=away.pk).update(url="http://127.0.0.1:1/mcp")
    model.answers.append(Fault(401))
    turn = talk.say()
    assert TurnEvent.objects.filter(turn=turn, kind="problem").exists()
    type(away).objects.filter(pk=away.pk).update(url=server.url, revision=away.revision + 1)
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert not TurnEvent.objects.filter(turn=turn, kind="problem").exists()


def test_a_model_that_fails_ends_the_turn_in_words_and_trying_again_goes_on_from_there(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Fault(401)]
    turn = talk.say()
    assert (turn.status, turn.error_code) == (TurnStatus.ERROR, "model_refused")
    assert "Check it under Models" in turn.error
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "Hello there.")
    assert len(server.asked("tools/call")) == 1


def test_rounds_are_bounded_and_the_last_answer_is_without_tools(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    type(talk.agent).objects.filter(pk=talk.agent.pk).update(max_tool_rounds=2)
    echo = calling(remote_name(printer, "echo"), text="more")
    model.answers += [echo, echo, Reply(pieces=("Enough.",), calls=echo.calls)]
    turn = talk.say()
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "Enough.")
    assert len(server.asked("tools/call")) == 2


def test_an_answer_that_takes_too_long_is_ended_and_can_be_gone_on_with(
    talk: Talk, model: ModelProvider, settings: Settings
) -> None:
    model.answers.append(Reply(held=True))
    turn = begun(talk)

    async def wait() -> None:
        await halfway(model)
        settings.CHAT_TURN_SECONDS = 0

    talk.answered(turn, wait)
    assert (turn.status, turn.error_code) == (TurnStatus.TIMEOUT, "timeout")


def test_administrators_can_read_what_was_sent_without_its_secrets(talk: Talk, model: ModelProvider) -> None:
    turn = talk.say("My key is sk-0123456789abcdef0123456789abcdef")
    (call,) = TurnCall.objects.filter(turn=turn)
    assert call.model == "main:gpt-5"
    assert call.input_tokens == 100
    assert "sk-0123" not in json.dumps(call.question)
