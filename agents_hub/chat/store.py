"""The statements of a turn's run: claiming, keeping the lease, and writing what happened, each guarded by the fence.

Whoever holds a turn writes through here alone. A write under a fence that is no longer the turn's raises `Overtaken`,
and nothing of it is stored.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from agents_hub.chat import channels
from agents_hub.chat.record import Recorded
from agents_hub.chat.sources import ToolOutcome
from agents_hub.models import Inquiry, Message, ToolUse, Turn, TurnCall, TurnEvent, TurnStatus, TurnStep
from agents_hub.models.turns import INTERRUPTED
from llm.storing import answer_as_json
from llm.turns import Answer, ToolResult
from security.storable import storable

LEFT_AFTER_SECONDS = 5
INTERRUPTED_SAID = "The answer was interrupted. What was done so far is kept."

# Plan: turn_under_way holds the few that are under way.
CLAIM = """
    UPDATE agents_hub_turn SET fence = fence + 1, lease_until = clock_timestamp() + %(lease)s * interval '1 second'
    WHERE id IN (
        SELECT id FROM agents_hub_turn WHERE status = 'in_progress' AND lease_until IS NULL
            AND (%(id)s::uuid IS NULL OR id = %(id)s)
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
    )
    RETURNING id, fence
"""
RENEW = """
    UPDATE agents_hub_turn SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
    FROM unnest(%(ids)s::uuid[], %(fences)s::bigint[]) AS held(id, fence)
    WHERE agents_hub_turn.id = held.id AND agents_hub_turn.fence = held.fence AND status = 'in_progress'
    RETURNING agents_hub_turn.id, stop_wanted
"""
WRITE_EVENTS = """
    WITH line AS (
        SELECT * FROM jsonb_to_recordset(%(lines)s::jsonb)
            AS line(turn uuid, fence bigint, number integer, kind text, body jsonb)
    ), written AS (
        INSERT INTO agents_hub_turnevent (turn_id, number, kind, body)
        SELECT line.turn, line.number, line.kind, line.body
        FROM line JOIN agents_hub_turn turn ON turn.id = line.turn AND turn.fence = line.fence
        RETURNING turn_id
    )
    SELECT pg_notify(%(channel)s, turn_id::text) FROM (SELECT DISTINCT turn_id FROM written) AS told
"""
LOST = """
    UPDATE agents_hub_turn SET status = 'error', error_code = %(code)s, error = %(said)s, ended_at = clock_timestamp(),
        lease_until = NULL, fence = fence + 1
    WHERE id IN (
        SELECT id FROM agents_hub_turn WHERE status = 'in_progress' AND lease_until < clock_timestamp()
        ORDER BY lease_until LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""


class Overtaken(Exception):  # noqa: N818 - named for what happened: the turn is somebody else's by now, or was ended
    """What is held is no longer one's own. Nothing written since counts."""


@dataclass(frozen=True, slots=True)
class Held:
    """A turn as its holder has it."""

    id: UUID
    fence: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something to be seen by those who look at the turn."""

    held: Held
    number: int
    kind: str
    body: Mapping[str, Any]


def claim(most: int, turn_id: UUID | None = None) -> list[Held]:
    """Take up turns that wait, the oldest first, or that one alone."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"lease": settings.CHAT_LEASE_SECONDS, "most": most, "id": turn_id})
        return [Held(*row) for row in cursor.fetchall()]


def left_waiting() -> list[UUID]:
    """Turns that have waited longer than any process that takes them up would let them."""
    before = timezone.now() - timedelta(seconds=LEFT_AFTER_SECONDS)
    waiting = Turn.objects.filter(status=TurnStatus.IN_PROGRESS, lease_until=None, created_at__lt=before)
    return list(waiting.order_by("id").values_list("pk", flat=True)[:100])


def renew(held: Sequence[Held]) -> dict[UUID, bool]:
    """Keep holding them. Those still held, and whether each is to be stopped."""
    values: dict[str, Any] = {
        "lease": settings.CHAT_LEASE_SECONDS,
        "ids": [each.id for each in held],
        "fences": [each.fence for each in held],
    }
    with connection.cursor() as cursor:
        cursor.execute(RENEW, values)
        return dict(cursor.fetchall())


def write_events(events: Sequence[Event]) -> None:
    """Events of any number of turns, in one statement; those of turns no longer held are left out."""
    lines = [
        {"turn": str(one.held.id), "fence": one.held.fence, "number": one.number, "kind": one.kind, "body": one.body}
        for one in events
    ]
    with connection.cursor() as cursor:
        cursor.execute(WRITE_EVENTS, {"lines": json.dumps(storable(lines)), "channel": channels.EVENTS})


def last_event(turn_id: UUID) -> int:
    return TurnEvent.objects.filter(turn=turn_id).aggregate(last=Max("number"))["last"] or 0


def keep_answer(held: Held, number: int, answer: Answer, recorded: Recorded, text: str) -> None:
    """A model's answer: from now on it is not asked for again. `text` is the message as people read it so far."""
    used, call = answer.usage, recorded.row(held.id)
    with holding(held) as turn:
        TurnStep.objects.create(
            turn=turn, number=number, kind=TurnStep.Kind.ANSWER, body=storable(answer_as_json(answer))
        )
        _keep_call(call)
        Message.objects.filter(pk=turn.answer_id).update(text=storable(text))
        changes: dict[str, Any] = {
            "rounds": F("rounds") + 1,
            "input_tokens": F("input_tokens") + used.input,
            "cached_tokens": F("cached_tokens") + used.cached,
            "output_tokens": F("output_tokens") + used.output,
            "model": answer.model,
        }
        if used.cost_usd is not None:
            changes["cost_usd"] = (turn.cost_usd or 0) + used.cost_usd
        if turn.first_text_at is None and answer.text:
            changes["first_text_at"] = timezone.now()
        Turn.objects.filter(pk=turn.pk).update(**changes)


def keep_failed_call(held: Held, recorded: Recorded) -> None:
    call = recorded.row(held.id)
    with holding(held):
        _keep_call(call)


def keep_results(held: Held, number: int, results: Sequence[ToolResult]) -> None:
    """The results of all calls of the last answer, in its order."""
    body = [
        {"call_id": each.call_id, "name": each.name, "content": each.content, "failed": each.failed} for each in results
    ]
    with holding(held) as turn:
        TurnStep.objects.create(turn=turn, number=number, kind=TurnStep.Kind.RESULTS, body=storable({"results": body}))


def keep_summary(held: Held, number: int, text: str) -> None:
    with holding(held) as turn:
        TurnStep.objects.create(turn=turn, number=number, kind=TurnStep.Kind.SUMMARY, body=storable({"text": text}))


def begin_use(held: Held, use: ToolUse) -> None:
    """A call that is about to be made, or that the person is asked about first."""
    with holding(held):
        use.save(force_insert=True)


def change_use(held: Held, use_id: UUID, status: ToolUse.Status) -> None:
    with holding(held):
        ToolUse.objects.filter(pk=use_id).update(status=status)


def note_use(held: Held, use_id: UUID, notes: Sequence[str]) -> None:
    """What a call that is being stopped said on its way: what it has begun goes on without it."""
    with holding(held):
        ToolUse.objects.filter(pk=use_id).update(
            result=storable({"content": [], "structured": None, "notes": list(notes)})
        )


def end_use(held: Held, use_id: UUID, status: ToolUse.Status, outcome: ToolOutcome) -> None:
    body = {
        "content": list(outcome.content),
        "structured": outcome.structured,
        "notes": list(outcome.notes),
    }
    with holding(held):
        ToolUse.objects.filter(pk=use_id).update(status=status, result=storable(body), ended_at=timezone.now())


def ask(held: Held, inquiry: Inquiry) -> None:
    with holding(held):
        inquiry.save(force_insert=True)


def answers_to(inquiries: Sequence[UUID]) -> dict[UUID, Any]:
    """What was answered so far, by the inquiry's id."""
    answered = Inquiry.objects.filter(pk__in=inquiries, answered_at__isnull=False)
    return dict(answered.values_list("pk", "answer"))


def end(
    held: Held,
    status: TurnStatus,
    *,
    text: str | None = None,
    partial: Answer | None = None,
    code: str = "",
    said: str = "",
) -> None:
    """The turn's end. What was under way has ended with it; `partial` is an answer that broke off, to be remembered.

    Without `text` the message stays as it is.
    """
    with holding(held) as turn:
        if partial is not None:
            last = turn.steps.aggregate(last=Max("number"))["last"] or 0
            TurnStep.objects.create(
                turn=turn, number=last + 1, kind=TurnStep.Kind.ANSWER, body=storable(answer_as_json(partial))
            )
        if text is not None:
            Message.objects.filter(pk=turn.answer_id).update(text=storable(text))
        _end_uses(turn.pk)
        Turn.objects.filter(pk=turn.pk).update(
            status=status, error_code=code, error=said, ended_at=timezone.now(), lease_until=None, stop_wanted=False
        )
        channels.notify(channels.EVENTS, turn.pk)


def give_up_lost() -> int:
    """Mark the turns whose holder is gone as interrupted; how many. Whoever wakes up after all is overtaken."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOST, {"code": INTERRUPTED, "said": INTERRUPTED_SAID})
        lost = [row[0] for row in cursor.fetchall()]
        for turn_id in lost:
            channels.notify(channels.EVENTS, turn_id)
    return len(lost)


def _end_uses(turn_id: UUID) -> None:
    """Calls that were under way when the turn ended by itself: they were cancelled with it."""
    ToolUse.objects.filter(turn=turn_id, status__in=(ToolUse.Status.WAITING, ToolUse.Status.RUNNING)).update(
        status=ToolUse.Status.STOPPED, ended_at=timezone.now()
    )


def _keep_call(call: TurnCall) -> None:
    """The record of a question; one that was asked again after a failure replaces the first."""
    TurnCall.objects.filter(turn=call.turn_id, number=call.number).delete()
    call.save(force_insert=True)


@contextmanager
def holding(held: Held) -> Iterator[Turn]:
    """A transaction in which the turn is certainly held, and stays so to its end."""
    with transaction.atomic():
        turns = Turn.objects.select_for_update(no_key=True).filter(
            pk=held.id, fence=held.fence, status=TurnStatus.IN_PROGRESS
        )
        turn = turns.first()
        if turn is None:
            raise Overtaken(f"Turn {held.id} is no longer held under fence {held.fence}.")
        yield turn
