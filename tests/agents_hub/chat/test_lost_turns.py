"""Turns whose process was lost: no call is made twice, and who was overtaken writes nothing more."""

import asyncio

import pytest
from asgiref.sync import sync_to_async

from agents_hub.chat import claiming, store
from agents_hub.chat.scribe import Scribe
from agents_hub.models import ToolUse, Turn, TurnEvent, TurnStatus
from agents_hub.services import turns
from tests.agents_hub.chat.talks import Talk, asked, begun, calling, lose, remote_name
from tests.fakes.mcp_server import McpServer
from tests.fakes.model_provider import ModelProvider, Reply
from tests.mcp_gateway.remote.elsewhere import run

pytestmark = pytest.mark.django_db


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
