"""What answers cost and used, by the operator's prices too, and the record of each question to a model."""

from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from pytest_django import Settings

from agents_hub.chat.runner import Runner
from agents_hub.models import Turn, TurnCall, TurnStatus
from agents_hub.pages.chat.live import standing
from agents_hub.services import turns
from llm import compaction
from llm.models import ModelCall, Price
from tests.agents_hub.chat.seeing import shown
from tests.agents_hub.chat.talks import Talk, begun, calling, halfway, remote_name, words_seen
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db
HELD = Reply(pieces=("One ", "two ", "three ", "four."), held=True)


@pytest.fixture
def own_price(talk: Talk) -> Price:
    """Of the fake provider's model: an answer of 100 tokens in and 10 out is 28 cents."""
    price: Price = Price.objects.create(model="compatible:gpt-5", input_usd=Decimal(2_000), output_usd=Decimal(8_000))
    return price


def calls_of(turn: Turn) -> list[tuple[str, str, bool]]:
    """What each question was for, which model was asked, and whether it was answered."""
    return [(call.purpose, call.model, call.answer is not None) for call in turn.model_calls.order_by("number")]


def test_an_answer_costs_what_the_operator_says(talk: Talk, own_price: Price, browser: Client) -> None:
    turn = talk.say()
    assert turn.cost_usd == Decimal("0.28") == ModelCall.objects.get().cost_usd
    assert "$0.2800" in shown(browser, talk)


def test_where_a_price_is_not_known_the_rest_is_said_to_be_a_part(
    talk: Talk, model: ModelProvider, server: McpServer, own_price: Price, browser: Client
) -> None:
    printer = talk.give(server)
    type(talk.agent).objects.filter(pk=talk.agent.pk).update(model="main:nobody-knows-it")
    model.answers.append(Fault(401))
    turn = begun(talk)
    talk.answered(turn)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Fault(401)]
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert (turn.cost_usd, turn.unpriced_calls) == (None, 1)
    type(talk.agent).objects.filter(pk=talk.agent.pk).update(model="main:gpt-5")
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert (turn.status, turn.cost_usd, turn.unpriced_calls) == (TurnStatus.COMPLETED, Decimal("0.28"), 1)
    assert shown(browser, talk).count("more than") == 2


def test_an_answer_that_is_stopped_is_paid_for_as_far_as_it_came(
    talk: Talk, model: ModelProvider, own_price: Price
) -> None:
    model.answers.append(HELD)
    turn = begun(talk)

    async def stop() -> None:
        await words_seen(talk, model, turn)
        await talk.stop(turn)

    talk.answered(turn, stop)
    assert turn.status == TurnStatus.STOPPED
    assert turn.input_tokens > 10
    counted = ModelCall.objects.get()
    assert (counted.input_tokens, counted.cost_usd) == (turn.input_tokens, turn.cost_usd)
    assert calls_of(turn) == [("answer", "main:gpt-5", False)]
    assert turn.model_calls.get().error == "The person stopped the answer."


def test_an_answer_that_breaks_off_is_paid_for_and_its_record_stays_when_it_is_given_again(
    talk: Talk, model: ModelProvider
) -> None:
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), cut=True))
    turn = talk.say()
    assert turn.error_code == "model_broke_off"
    assert turn.input_tokens > 10
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert turn.status == TurnStatus.COMPLETED
    assert calls_of(turn) == [("answer", "main:gpt-5", False), ("answer", "main:gpt-5", True)]


def test_a_refused_question_costs_nothing_and_its_record_names_the_model(talk: Talk, model: ModelProvider) -> None:
    type(talk.agent).objects.filter(pk=talk.agent.pk).update(model="main:gpt-nonesuch")
    model.answers.append(Fault(404))
    turn = talk.say()
    assert (turn.input_tokens, turn.cost_usd) == (0, None)
    assert calls_of(turn) == [("answer", "main:gpt-nonesuch", False)]


def test_a_question_that_takes_too_long_leaves_its_record(talk: Talk, model: ModelProvider, settings: Settings) -> None:
    settings.CHAT_TURN_SECONDS = 0
    model.answers.append(HELD)
    turn = begun(talk)
    talk.answered(turn, lambda: halfway(model))
    assert turn.status == TurnStatus.TIMEOUT
    assert turn.model_calls.get().error == "The answer took longer than it may."


def test_a_question_cut_off_by_the_platforms_end_leaves_its_record(talk: Talk, model: ModelProvider) -> None:
    model.answers.append(HELD)
    turn = begun(talk)

    async def work() -> None:
        async with Runner(capacity=1).running():
            await halfway(model)

    run(work)
    assert TurnCall.objects.get(turn=turn).error == "The platform stopped while the model answered."


def test_making_a_history_short_is_told_recorded_and_paid_for(
    talk: Talk, model: ModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "FROM_TOKENS", 400)
    model.answers += [Reply(input=500), HELD, Reply(pieces=("It is old.",))]
    talk.say("Tell me of the oak")
    turn = begun(talk)

    async def look() -> None:
        await halfway(model)
        await talk.seen(turn, "compacting")
        now = await Turn.objects.select_related("conversation__agent").aget(pk=turn.pk)
        assert "summarizing the conversation so far" in await sync_to_async(standing)(now)
        model.go.set()

    talk.answered(turn, look)
    assert calls_of(turn) == [("summary", "main:gpt-5", True), ("answer", "main:gpt-5", True)]
    assert (turn.input_tokens, turn.output_tokens) == (200, 20)
