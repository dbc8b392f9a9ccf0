"""What the model is told of a conversation: files, pictures that tools gave, and long histories in short."""

import json
from typing import Any

import pytest
from django.core.files.base import ContentFile

from agents_hub.models import TurnStatus, TurnStep
from agents_hub.services import turns
from agents_hub.services.attachments import attach
from llm import compaction
from tests.agents_hub.chat.talks import Talk, asked, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply

pytestmark = pytest.mark.django_db
# Longer than what the fixture below says is long; a person's plan has 10,000 tokens.
TOO_LONG = Fault(400, code="context_length_exceeded")
LONG = Reply(pieces=("A long answer.",), input=500)


@pytest.fixture(autouse=True)
def _soon_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "FROM_TOKENS", 400)


def test_a_long_history_is_made_short_and_the_conversation_goes_on_from_that(talk: Talk, model: ModelProvider) -> None:
    model.answers += [LONG, Reply(pieces=("The oak was discussed.",)), Reply(pieces=("It is old.",))]
    talk.say("Tell me of the oak")
    turn = talk.say("How old is it?")
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "It is old.")
    assert "getting too long" in said(model, 1)[-1]
    (told,) = said(model, 2)
    assert "The oak was discussed." in told
    assert "How old is it?" in told
    assert "A long answer." not in told
    talk.say("Thank you")
    assert [text for text in said(model) if "The oak was discussed." in text]
    assert "Tell me of the oak" not in json.dumps(asked(model))


def test_what_people_read_stays_when_a_history_is_made_short_between_two_rounds(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    call = ((remote_name(printer, "echo"), json.dumps({"text": "ink"})),)
    model.answers += [
        Reply(pieces=("I print it.",), calls=call, input=500),
        Reply(pieces=("Ink was printed.",)),
        Reply(pieces=("Done.",)),
    ]
    turn = talk.say("Print ink")
    assert turn.answer.text == "I print it.\n\nDone."
    assert [step.kind for step in turn.steps.order_by("number")] == [
        TurnStep.Kind.ANSWER,
        TurnStep.Kind.RESULTS,
        TurnStep.Kind.SUMMARY,
        TurnStep.Kind.ANSWER,
    ]
    assert len(server.asked("tools/call")) == 1


def test_a_model_that_writes_no_summary_goes_on_with_the_long_history(talk: Talk, model: ModelProvider) -> None:
    model.answers += [LONG, Reply(pieces=()), Reply(pieces=("Fine.",))]
    talk.say("First")
    assert talk.say("Second").answer.text == "Fine."
    assert "First" in said(model)


def test_after_a_summary_that_came_to_nothing_none_is_asked_for_before_the_history_has_grown(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    call = ((remote_name(printer, "echo"), json.dumps({"text": "ink"})),)
    model.answers += [LONG, Reply(pieces=()), Reply(pieces=(), calls=call, input=510), Reply(pieces=("Fine.",))]
    talk.say("First")
    assert talk.say("Second").answer.text == "Fine."
    assert len(model.seen) == 4


def test_files_of_a_message_are_told_as_files(talk: Talk, model: ModelProvider) -> None:
    file = ContentFile(b"The treasure is under the oak.", name="map.txt")
    (row,) = attach(talk.caller, files=[file], conversation_id=talk.conversation.pk)
    turn = turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="Where is it?", attachments=[row.pk])
    talk.answered(turn)
    (told,) = said(model)
    assert told.startswith("Where is it?")
    assert "map.txt" in told
    assert "under the oak" in told
    talk.say("And then?")
    assert "under the oak" in said(model)[0]


def test_a_long_result_is_made_short_before_it_is_sent_on(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = talk.give(server)
    call = ((remote_name(printer, "echo"), json.dumps({"text": "ink " * 2_000})),)
    model.answers += [Reply(pieces=(), calls=call), Reply(pieces=("Ink.",)), Reply(pieces=("Done.",))]
    assert talk.say("Print").answer.text == "Done."
    assert "getting too long" in said(model, 1)[-1]
    (result,) = [message["content"] for message in asked(model, 1) if message["role"] == "tool"]
    assert len(result) < 2_000
    assert "Ink." in said(model, 2)[0]


def test_what_is_too_long_for_a_model_is_made_short_and_asked_again(talk: Talk, model: ModelProvider) -> None:
    model.answers += [Reply(), TOO_LONG, Reply(pieces=("The oak was discussed.",)), Reply(pieces=("It is old.",))]
    talk.say("Tell me of the oak")
    turn = talk.say("How old is it?")
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "It is old.")
    assert "The oak was discussed." in said(model)[0]


def test_a_first_message_that_is_too_long_is_refused_in_words(talk: Talk, model: ModelProvider) -> None:
    model.answers.append(TOO_LONG)
    turn = talk.say("A very long message")
    assert turn.status == TurnStatus.ERROR
    assert "longer than the model takes" in turn.error
    assert len(model.seen) == 1


def said(model: ModelProvider, number: int = -1) -> list[str]:
    """What was said to the model in that question, in its order."""
    return [text(message["content"]) for message in asked(model, number) if message["role"] == "user"]


def text(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", "") for part in content)
