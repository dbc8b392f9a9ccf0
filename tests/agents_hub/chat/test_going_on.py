"""Going on with a turn that was interrupted: what was said, asked and done until then, and what comes after."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.errors import Conflict
from agents_hub.chat.runner import Runner
from agents_hub.models import Grant, Inquiry, ToolUse, Turn, TurnStatus
from agents_hub.pages.chat.live import standing
from agents_hub.services import turns
from mcp_gateway.models import RemoteTool
from tests.agents_hub.chat.seeing import shown
from tests.agents_hub.chat.talks import (
    Talk,
    asked,
    asking_first,
    begun,
    calling,
    halfway,
    lose,
    remote_name,
    words_seen,
)
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db
NOTHING = Reply(pieces=())
HELD = Reply(pieces=("One ", "two ", "three ", "four."), held=True)


def try_again(talk: Talk, turn: Turn) -> None:
    turns.try_again(talk.caller, turn_id=turn.pk)


def test_an_answer_without_a_word_is_asked_for_again_when_the_person_tries_again(
    talk: Talk, model: ModelProvider
) -> None:
    model.answers += [NOTHING, Reply(pieces=("Here I am.",))]
    turn = talk.say()
    assert (turn.status, turn.error_code) == (TurnStatus.ERROR, "no_answer")
    try_again(talk, turn)
    talk.answered(turn)
    assert (turn.status, turn.answer.text, len(model.seen)) == (TurnStatus.COMPLETED, "Here I am.", 2)
    assert turn.input_tokens == 200


def test_a_conversation_goes_on_after_an_answer_without_a_word(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    type(talk.agent).objects.filter(pk=talk.agent.pk).update(max_tool_rounds=1)
    echo = calling(remote_name(printer, "echo"), text="more")
    model.answers += [echo, echo]
    assert talk.say("Print").error_code == "no_answer"
    again = talk.say("And now?")
    assert (again.status, again.answer.text) == (TurnStatus.COMPLETED, "Hello there.")
    assert asked(model)[-1]["content"] == "And now?"


def test_a_conversation_goes_on_after_a_last_round_in_which_nothing_more_was_said(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    type(talk.agent).objects.filter(pk=talk.agent.pk).update(max_tool_rounds=1)
    echo = calling(remote_name(printer, "echo"), text="more")
    model.answers += [Reply(pieces=("I print it.",), calls=echo.calls), echo]
    turn = talk.say("Print")
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "I print it.")
    assert talk.say("And now?").status == TurnStatus.COMPLETED


def test_a_question_that_a_lost_turn_asked_is_asked_no_more_and_the_new_one_counts(
    talk: Talk, model: ModelProvider, server: McpServer, browser: Client
) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(pieces=("Printed.",))]
    turn = begun(talk)

    async def until_it_asks() -> None:
        await talk.inquiry(turn)

    lose(turn, until_it_asks)
    (dead,) = turn.inquiries.all()
    page = shown(browser, talk)
    assert "Allow once" not in page
    assert "Waiting for you" not in page
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.STOPPED
    try_again(talk, turn)
    with pytest.raises(Conflict):
        turns.answer_inquiry(talk.caller, inquiry_id=dead.pk, action="deny")
    talk.answered(turn, lambda: talk.reply(turn, "once"))
    assert (turn.status, turn.answer.text) == (TurnStatus.COMPLETED, "Printed.")
    assert len(server.asked("tools/call")) == 1
    assert "Allowed once" in shown(browser, talk)


@pytest.mark.parametrize(("said", "calls"), [("once", 1), ("deny", 0)])
def test_what_the_person_said_just_before_the_turn_was_lost_holds(
    talk: Talk, model: ModelProvider, server: McpServer, said: str, calls: int
) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
    turn = begun(talk)

    async def until_it_asks() -> None:
        await talk.inquiry(turn)

    def answered() -> None:
        Inquiry.objects.filter(turn=turn).update(answer={"action": said}, answered_at=timezone.now())

    lose(turn, until_it_asks, answered)
    try_again(talk, turn)
    talk.answered(turn)
    assert turn.inquiries.count() == 1
    assert len(server.asked("tools/call")) == calls


def test_a_call_under_way_when_its_turn_was_lost_is_shown_as_of_unknown_outcome(
    talk: Talk, model: ModelProvider, server: McpServer, browser: Client
) -> None:
    printer = talk.give(server)
    model.answers.append(calling(remote_name(printer, "wait")))
    turn = begun(talk)
    lose(turn, lambda: server.reached(server.waiting))
    use = ToolUse.objects.get(turn=turn)
    assert (use.status, use.ended_at is None) == (ToolUse.Status.UNKNOWN, False)
    page = shown(browser, talk)
    assert "Outcome unknown" in page
    assert "Running" not in page


def test_the_words_that_were_seen_before_a_turn_was_lost_stay_in_its_message(
    talk: Talk, model: ModelProvider, browser: Client
) -> None:
    model.answers += [HELD, HELD]
    turn = begun(talk)
    lose(turn, lambda: words_seen(talk, model, turn))
    assert turn.answer.text.startswith("One")
    assert turn.answer.text in shown(browser, talk)
    model.halfway.clear()
    try_again(talk, turn)
    lose(turn, lambda: words_seen(talk, model, turn))
    assert turn.answer.text.count("One") == 1
    try_again(talk, turn)
    talk.answered(turn)
    assert turn.answer.text == "Hello there."


def test_a_call_that_waited_for_its_person_when_the_platform_stopped_is_asked_about_again(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply()]
    turn = begun(talk)
    stop_the_platform(talk, turn)
    assert (turn.error_code, turn.tool_uses.get().status) == ("interrupted", ToolUse.Status.STOPPED)
    try_again(talk, turn)
    talk.answered(turn, lambda: talk.reply(turn, "once"))
    assert (turn.status, turn.tool_uses.get().status) == (TurnStatus.COMPLETED, ToolUse.Status.DONE)
    assert len(server.asked("tools/call")) == 1


def test_of_a_call_that_waited_when_its_turn_was_stopped_the_model_learns_that_it_was_not_made(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = asking_first(talk, server)
    model.answers.append(calling(remote_name(printer, "echo"), text="ink"))
    turn = begun(talk)

    async def stop() -> None:
        await talk.inquiry(turn)
        await talk.stop(turn)

    talk.answered(turn, stop)
    talk.say("Well?")
    (told,) = [message["content"] for message in asked(model) if message["role"] == "tool"]
    assert "before the call was made" in told


def test_of_a_stopped_turn_the_model_learns_what_its_calls_gave(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    echo, wait = remote_name(printer, "echo"), remote_name(printer, "wait")
    model.answers.append(Reply(pieces=(), calls=((echo, '{"text": "ink"}'), (wait, "{}"))))
    turn = begun(talk)

    async def stop() -> None:
        await server.reached(server.waiting)
        await talk.used(turn, 1)
        await talk.stop(turn)

    talk.answered(turn, stop)
    talk.say("Well?")
    first, second = [message["content"] for message in asked(model) if message["role"] == "tool"]
    assert "ink" in first
    assert "may have been carried out" in second


def test_a_call_allowed_meanwhile_and_lost_twice_is_made_once(
    talk: Talk, model: ModelProvider, server: McpServer, browser: Client
) -> None:
    printer = asking_first(talk, server)
    RemoteTool.objects.filter(server=printer).update(ask_first=True)
    wait = remote_name(printer, "wait")
    model.answers.append(calling(wait))
    turn = begun(talk)

    async def until_it_asks() -> None:
        await talk.inquiry(turn)

    lose(turn, until_it_asks)
    RemoteTool.objects.filter(server=printer).update(ask_first=False)
    type(printer).objects.filter(pk=printer.pk).update(revision=printer.revision + 2)
    try_again(talk, turn)

    async def until_it_runs() -> None:
        await server.reached(server.waiting)
        use = await ToolUse.objects.aget(turn=turn)
        assert use.status == ToolUse.Status.RUNNING

    lose(turn, until_it_runs)
    try_again(talk, turn)
    talk.answered(turn)
    assert turn.status == TurnStatus.COMPLETED
    assert turn.tool_uses.get().status == ToolUse.Status.UNKNOWN
    assert len(server.asked("tools/call")) == 1
    assert not Grant.objects.exists()


def test_a_question_that_nobody_answers_in_time_is_asked_no_more(
    talk: Talk, model: ModelProvider, server: McpServer, settings: Settings
) -> None:
    printer = asking_first(talk, server)
    settings.CHAT_ANSWER_MINUTES = 0
    # The model stands still after it was told, so that the turn is still under way.
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), HELD]
    turn = begun(talk)

    async def look() -> None:
        await halfway(model)
        asked_of = await Inquiry.objects.aget(turn=turn)
        assert "Waiting for you" not in await sync_to_async(standing)(await whole(turn))
        with pytest.raises(Conflict):
            await sync_to_async(turns.answer_inquiry)(talk.caller, inquiry_id=asked_of.pk, action="once")
        model.go.set()

    talk.answered(turn, look)
    assert turn.tool_uses.get().status == ToolUse.Status.DENIED
    assert not server.asked("tools/call")


async def whole(turn: Turn) -> Turn:
    return await Turn.objects.select_related("conversation__agent").aget(pk=turn.pk)


def stop_the_platform(talk: Talk, turn: Turn) -> None:
    """In the midst of the turn, once it asks something."""

    async def work() -> None:
        runner = Runner()
        async with runner.running():
            carried = asyncio.create_task(runner.carry_out(turn.pk))
            await talk.inquiry(turn)
        await carried

    run(work)
    turn.refresh_from_db()
