"""What the schedule does for chats: turns whose process was lost, turns that nobody takes, and what is forgotten."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from agents_hub import tasks
from agents_hub.chat import claiming, forgetting
from agents_hub.models import Conversation, ToolUse, Turn, TurnCall, TurnEvent, TurnStatus
from agents_hub.services import turns
from tests.agents_hub.chat.talks import Talk
from tests.agents_hub.factories import ConversationFactory
from tests.fakes.model_provider import ModelProvider

pytestmark = pytest.mark.django_db


@pytest.fixture
def handed_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The turns that were given to workers."""
    given: list[str] = []

    def sent(arguments: tuple[str], expires: float) -> None:
        assert expires == claiming.AGAIN_SECONDS
        given.extend(arguments)

    monkeypatch.setattr(tasks.carry_out_turn, "apply_async", sent)
    return given


def ago(**time: float) -> Any:
    return timezone.now() - timedelta(**time)


def ended(**time: float) -> Turn:
    """A turn that ended so long ago, with an event, a record of what was sent, and a call of a tool."""
    turn = asked(ended_at=ago(**time))
    TurnEvent.objects.create(turn=turn, number=1, kind="text", body={"round": 1, "text": "Hello"})
    TurnCall.objects.create(turn=turn, number=1, question={}, duration_ms=1, at=ago(**time))
    ToolUse.objects.create(turn=turn, round=1, place=1, status=ToolUse.Status.DONE)
    return turn


def under_way(**fields: Any) -> Turn:
    return asked(status=TurnStatus.IN_PROGRESS, ended_at=None, error="", **fields)


def asked(**fields: Any) -> Turn:
    """A turn of a conversation of its own."""
    conversation: Conversation = ConversationFactory()
    Turn.objects.filter(conversation=conversation).update(**fields)
    turn: Turn = conversation.turns.get()
    return turn


def test_a_turn_whose_lease_is_over_is_interrupted_and_one_that_is_held_is_not(handed_out: list[str]) -> None:
    lost, held = under_way(lease_until=ago(seconds=1), fence=1), under_way(lease_until=ago(seconds=-10), fence=1)
    tasks.look_after_turns()
    lost.refresh_from_db()
    held.refresh_from_db()
    assert (lost.status, lost.error_code, lost.lease_until) == (TurnStatus.ERROR, "interrupted", None)
    assert lost.was_interrupted
    assert lost.fence == 2
    assert held.status == TurnStatus.IN_PROGRESS
    assert not handed_out


def test_a_turn_that_no_process_takes_is_given_to_a_worker_which_answers_it_once(
    talk: Talk, model: ModelProvider, handed_out: list[str]
) -> None:
    turn = turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="Anybody?")
    tasks.look_after_turns()
    # A web process may take it at any moment.
    assert not handed_out
    Turn.objects.filter(pk=turn.pk).update(created_at=ago(seconds=claiming.LEFT_AFTER_SECONDS + 1))
    tasks.look_after_turns()
    # The message is on its way.
    tasks.look_after_turns()
    assert handed_out == [str(turn.pk)]
    Turn.objects.filter(pk=turn.pk).update(handed_out_at=ago(seconds=claiming.AGAIN_SECONDS + 1))
    # It has expired by now.
    tasks.look_after_turns()
    assert handed_out == [str(turn.pk)] * 2
    for each in handed_out:
        tasks.carry_out_turn(each)
    turn.refresh_from_db()
    assert turn.status == TurnStatus.COMPLETED
    assert len(model.seen) == 1


def test_a_turn_that_was_stopped_while_it_waited_is_given_to_nobody(talk: Talk, handed_out: list[str]) -> None:
    turn = turns.begin(talk.caller, conversation_id=talk.conversation.pk, text="Anybody?")
    Turn.objects.filter(pk=turn.pk).update(created_at=ago(minutes=1))
    turns.stop(talk.caller, turn_id=turn.pk)
    tasks.look_after_turns()
    assert not handed_out


def test_events_are_forgotten_a_day_after_the_end_and_what_was_said_and_done_is_not() -> None:
    old, new = ended(hours=forgetting.EVENT_HOURS + 1), ended(hours=forgetting.EVENT_HOURS - 1)
    running = under_way(created_at=ago(days=3))
    TurnEvent.objects.create(turn=running, number=1, kind="text", body={"round": 1, "text": "Still"})
    tasks.forget_old_turns()
    assert set(TurnEvent.objects.values_list("turn", flat=True)) == {new.pk, running.pk}
    assert old.tool_uses.exists()
    assert old.answer.conversation.messages.count() == 2


def test_what_stands_in_a_message_beside_its_text_is_not_forgotten() -> None:
    old = ended(hours=forgetting.EVENT_HOURS + 1)
    for number, kind in enumerate(forgetting.TOLD, 2):
        TurnEvent.objects.create(turn=old, number=number, kind=kind, body={"name": "Away"})
    tasks.forget_old_turns()
    assert list(old.events.order_by("number").values_list("kind", flat=True)) == forgetting.TOLD


def test_old_events_are_looked_for_among_turns_that_have_some() -> None:
    ended(hours=forgetting.EVENT_HOURS + 1)
    assert (forgetting.forget_events(), forgetting.forget_events()) == (1, 0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {forgetting.OLD_EVENTS}", {"hours": 1, "most": 10, "kept": forgetting.TOLD})
        assert "turn_events_kept" in "\n".join(row[0] for row in cursor.fetchall())


def test_a_worker_may_take_as_long_for_an_answer_as_its_person_may_let_it_wait(settings: Any) -> None:
    task = tasks.carry_out_turn
    longest = settings.CHAT_TURN_SECONDS + settings.CHAT_ANSWER_MINUTES * 60
    assert task.soft_time_limit is not None
    assert task.time_limit is not None
    assert settings.CELERY_TASK_SOFT_TIME_LIMIT < longest < task.soft_time_limit < task.time_limit


def test_what_was_sent_to_models_is_forgotten_after_the_days_set(settings: Any) -> None:
    settings.CHAT_RECORD_RETENTION_DAYS = 2
    ended(days=2, hours=1)
    new = ended(days=1)
    tasks.forget_old_turns()
    assert list(TurnCall.objects.values_list("turn", flat=True)) == [new.pk]


def test_much_that_is_old_is_forgotten_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BATCH", 2)
    monkeypatch.setattr(forgetting, "TURNS_AT_ONCE", 2)
    for _ in range(5):
        ended(days=100)
    assert (forgetting.forget_events(), forgetting.forget_records()) == (5, 5)
    assert (forgetting.forget_events(), forgetting.forget_records()) == (0, 0)


def test_each_of_these_is_on_the_schedule() -> None:
    due = {entry["task"] for entry in tasks.BEAT.values()}
    assert {tasks.look_after_turns.name, tasks.forget_old_turns.name} <= due
