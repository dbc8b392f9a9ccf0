"""Turns: what is asked is answered, with tools, through whatever comes between."""

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from pytest_django import Settings

from agents_hub.chat import claiming, store
from agents_hub.chat.scribe import Scribe
from agents_hub.models import ToolUse, Turn, TurnCall, TurnEvent, TurnStatus
from agents_hub.services import turns
from tests.agents_hub.chat.talks import Talk, asked, asking_first, begun, calling, halfway, lose, offered, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import Fault, ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import run

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


def test_stopping_ends_the_answer_and_keeps_what_was_said(talk: Talk, model: ModelProvider) -> None:
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), held=True))
    turn = begun(talk)

    async def stop() -> None:
        await halfway(model)
        await talk.seen(turn, "text")
        await sync_to_async(turns.stop)(talk.caller, turn_id=turn.pk)

    talk.answered(turn, stop)
    assert turn.status == TurnStatus.STOPPED
    assert turn.answer.text.startswith("One")
    assert "four" not in turn.answer.text
    model.go.set()
    talk.say("Go on")
    assert asked(model)[-2]["content"] == turn.answer.text


def test_stopping_cancels_the_call_that_is_under_way(talk: Talk, model: ModelProvider, server: McpServer) -> None:
    printer = talk.give(server)
    model.answers.append(calling(remote_name(printer, "wait")))
    turn = begun(talk)

    async def stop() -> None:
        await server.reached(server.waiting)
        await sync_to_async(turns.stop)(talk.caller, turn_id=turn.pk)

    talk.answered(turn, stop)
    assert turn.status == TurnStatus.STOPPED
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.STOPPED
    assert server.cancelled.is_set()


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


def test_a_turn_whose_process_was_lost_is_interrupted_and_no_call_is_made_twice(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    echo = remote_name(printer, "echo")
    model.answers += [Reply(pieces=(), calls=((echo, '{"text": "a"}'), (echo, '{"text": "b"}'))), Reply()]
    turn = begun(talk)
    lose(turn, lambda: talk.used(turn, 2))
    assert (turn.status, turn.error_code) == (TurnStatus.ERROR, "interrupted")
    before = len(server.asked("tools/call"))
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert turn.status == TurnStatus.COMPLETED
    assert len(server.asked("tools/call")) == before == 2


def test_a_call_under_way_when_the_process_was_lost_is_not_made_again_and_its_outcome_is_unknown(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    model.answers += [calling(remote_name(printer, "wait"))]
    turn = begun(talk)
    lose(turn, lambda: server.reached(server.waiting))
    turns.try_again(talk.caller, turn_id=turn.pk)
    talk.answered(turn)
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.UNKNOWN
    assert "unknown" in asked(model)[-1]["content"]
    assert len(server.asked("tools/call")) == 1


def test_one_who_was_overtaken_writes_nothing_more(talk: Talk, model: ModelProvider) -> None:
    turn = begun(talk)
    (stale,) = claiming.claim(1)
    Turn.objects.filter(pk=turn.pk).update(fence=stale.fence + 1)
    with pytest.raises(store.Overtaken):
        store.end(stale, TurnStatus.COMPLETED, text="From beyond.")
    store.write_events([store.Event(stale, 1, "text", {"round": 1, "text": "boo"})])
    assert not TurnEvent.objects.filter(turn=turn).exists()


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


@pytest.mark.django_db(transaction=True)
def test_events_that_the_database_refuses_hold_up_no_other_turn(talk: Talk, model: ModelProvider) -> None:
    other = Talk.begin(talk.caller, talk.agent)
    first, second = begun(talk), begun(other)

    async def work() -> None:
        scribe = Scribe()
        writing = asyncio.create_task(scribe.write())
        mine, theirs = sorted(await sync_to_async(claiming.claim)(2), key=lambda held: held.id != first.pk)
        for number in (1, 1):
            scribe.add(mine, number, "began", {"round": 1})
        scribe.add(theirs, 1, "began", {"round": 1})
        await scribe.all_written()
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    run(work)
    assert TurnEvent.objects.filter(turn=second).count() == 1


def test_an_answer_has_ended_before_a_server_that_drags_lets_its_connection_close(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    server.older = server.drags = True
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(pieces=("Printed.",))]
    turn = begun(talk)

    async def look() -> None:
        await server.reached(server.closing)
        assert (await Turn.objects.aget(pk=turn.pk)).status == TurnStatus.COMPLETED
        server.let_go()

    talk.answered(turn, look)
    assert turn.answer.text == "Printed."


def test_an_answer_is_stopped_before_a_server_that_drags_lets_its_connection_close(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    printer = talk.give(server)
    server.older = server.drags = True
    model.answers += [calling(remote_name(printer, "echo"), text="ink"), Reply(held=True)]
    turn = begun(talk)

    async def stop() -> None:
        await halfway(model)
        await sync_to_async(turns.stop)(talk.caller, turn_id=turn.pk)
        await server.reached(server.closing)
        assert (await Turn.objects.aget(pk=turn.pk)).status == TurnStatus.STOPPED
        server.let_go()

    talk.answered(turn, stop)


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
