"""What is told of an answer between two of its writes: each word of it once."""

import json

import pytest

from accounts.models import User
from accounts.scopes import Scope
from agents_hub.chat import lost
from agents_hub.models import Message, Turn, TurnEvent, TurnStatus, TurnStep
from agents_hub.pages.chat import live
from llm.storing import answer_as_json, said_by_model
from mcp_gateway.rest.routes import chat_api
from tests.agents_hub.api.door import Rest, read
from tests.agents_hub.api.door import rest as rest_of
from tests.agents_hub.chat.talks import Talk, begun

pytestmark = pytest.mark.django_db

WORDS = "High at four."


@pytest.fixture
def rest(talk: Talk) -> Rest:
    return rest_of(User.objects.get(pk=talk.caller.user_id), Scope.WRITE, chat_api)


def told(turn: Turn, *events: tuple[str, int], text: str = WORDS) -> None:
    """Events by their kinds and rounds, in order."""
    last = TurnEvent.objects.filter(turn=turn).count()
    for number, (kind, of_round) in enumerate(events, last + 1):
        body = {"round": of_round, "text": text} if kind == "text" else {"round": of_round}
        TurnEvent.objects.create(turn=turn, number=number, kind=kind, body=body)


def stored(turn: Turn) -> None:
    """The words as the answer of the first round, of which those who look on were not told yet."""
    body = answer_as_json(said_by_model(WORDS, turn.model))
    TurnStep.objects.create(turn=turn, number=1, kind=TurnStep.Kind.ANSWER, body=body)
    Message.objects.filter(pk=turn.answer_id).update(text=WORDS)


def text_of(rest: Rest, turn: Turn) -> str:
    return str(read(rest.get(f"turns/{turn.pk}"))["text"])


def test_whoever_comes_as_a_later_round_begins_is_not_told_the_one_before_again(talk: Talk) -> None:
    turn = begun(talk)
    told(turn, ("began", 1), ("text", 1), ("answered", 1), ("began", 2))
    came = TurnEvent.objects.filter(turn=turn).count()
    told(turn, ("text", 2), text="Low at ten.\n\nThen")
    settled = json.loads(live.read(str(turn.pk), came).events[-1].body)
    assert "Low at ten." in settled["html"]
    assert WORDS not in settled["html"]


def test_a_round_that_was_stored_just_now_is_told_once(rest: Rest, talk: Talk) -> None:
    turn = begun(talk)
    told(turn, ("began", 1), ("text", 1))
    assert text_of(rest, turn) == WORDS
    stored(turn)
    assert text_of(rest, turn) == WORDS


def test_what_broke_off_is_told_once_when_the_answer_is_gone_on_with(rest: Rest, talk: Talk) -> None:
    turn = begun(talk)
    told(turn, ("began", 1), ("text", 1))
    Message.objects.filter(pk=turn.answer_id).update(text=WORDS)
    assert text_of(rest, turn) == WORDS
    told(turn, ("began", 1), ("text", 1), text="Low at ten.")
    assert text_of(rest, turn) == "Low at ten."


def test_a_process_lost_just_after_it_stored_a_round_leaves_its_words_once(talk: Talk) -> None:
    turn = begun(talk)
    told(turn, ("began", 1), ("text", 1))
    stored(turn)
    Turn.objects.update(fence=1, lease_until="2000-01-01T00:00:00Z")
    assert lost.give_up_lost() == 1
    turn.refresh_from_db()
    assert (turn.status, turn.answer.text) == (TurnStatus.ERROR, WORDS)
