"""Turns end where the person stops them, and before a server that drags lets its connection close."""

import pytest

from agents_hub.models import ToolUse, Turn, TurnStatus
from tests.agents_hub.chat.talks import Talk, asked, begun, calling, halfway, remote_name, words_seen
from tests.fakes.mcp_server import McpServer, never, result
from tests.fakes.model_provider import ModelProvider, Reply

pytestmark = pytest.mark.django_db
MOMENT = "2026-01-02T03:04:05Z"


def test_stopping_ends_the_answer_and_keeps_what_was_said(talk: Talk, model: ModelProvider) -> None:
    model.answers.append(Reply(pieces=("One ", "two ", "three ", "four."), held=True))
    turn = begun(talk)

    async def stop() -> None:
        await words_seen(talk, model, turn)
        await talk.stop(turn)

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
        await talk.stop(turn)

    talk.answered(turn, stop)
    assert turn.status == TurnStatus.STOPPED
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.STOPPED
    assert server.cancelled.is_set()


def test_stopping_does_not_wait_for_a_server_that_will_not_cancel_its_task(
    talk: Talk, model: ModelProvider, server: McpServer
) -> None:
    server.older = True
    task = {"taskId": "1", "status": "working", "createdAt": MOMENT, "lastUpdatedAt": MOMENT, "ttl": 1_000}
    slow = {"name": "slow", "inputSchema": {"type": "object"}, "execution": {"taskSupport": "required"}}
    server.by_method |= {
        "tools/list": result({"tools": [slow]}),
        "tools/call": result({"task": task}),
        "tasks/get": result(task),
        "tasks/cancel": never,
    }
    model.answers.append(calling(remote_name(talk.give(server), "slow")))
    turn = begun(talk)

    async def stop() -> None:
        while "tasks/get" not in server.methods:
            await talk.moment()
        await talk.stop(turn)
        while (await Turn.objects.aget(pk=turn.pk)).status != TurnStatus.STOPPED:
            await talk.moment()

    talk.answered(turn, stop)
    assert ToolUse.objects.get(turn=turn).status == ToolUse.Status.STOPPED
    assert "tasks/cancel" in server.methods


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
        await talk.stop(turn)
        await server.reached(server.closing)
        assert (await Turn.objects.aget(pk=turn.pk)).status == TurnStatus.STOPPED
        server.let_go()

    talk.answered(turn, stop)
