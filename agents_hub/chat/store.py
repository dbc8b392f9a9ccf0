"""The statements of a turn's run: keeping the lease, and writing what happened, each guarded by the fence.

Whoever holds a turn writes through here alone. A write under a fence that is no longer the turn's raises `Overtaken`,
and nothing of it is stored.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from agents_hub.chat import channels
from agents_hub.chat.record import Recorded
from agents_hub.chat.sources import ToolOutcome
from agents_hub.models import Inquiry, Message, ToolUse, Turn, TurnCall, TurnEvent, TurnStatus, TurnStep
from agents_hub.models.turns import WITHDRAWN
from llm.storing import answer_as_json
from llm.turns import Answer, ToolResult, Usage
from security.storable import storable

INTERRUPTED_SAID = "The answer was interrupted. What was done so far is kept."

RENEW = """
    UPDATE agents_hub_turn SET lease_until = clock_timestamp() + %(lease)s * interval '1 second'
    FROM unnest(%(ids)s::uuid[], %(fences)s::bigint[]) AS held(id, fence)
    WHERE agents_hub_turn.id = held.id AND agents_hub_turn.fence = held.fence AND status = 'in_progress'
    RETURNING held.id, held.fence, stop_wanted
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


def renew(held: Sequence[Held]) -> dict[Held, bool]:
    """Keep holding them. Those still held, and whether each is to be stopped."""
    values: dict[str, Any] = {
        "lease": settings.CHAT_LEASE_SECONDS,
        "ids": [each.id for each in held],
        "fences": [each.fence for each in held],
    }
    with connection.cursor() as cursor:
        cursor.execute(RENEW, values)
        return {Held(turn_id, fence): is_unwanted for turn_id, fence, is_unwanted in cursor.fetchall()}


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
    call = recorded.row(held.id)
    with holding(held) as turn:
        TurnStep.objects.create(
            turn=turn, number=number, kind=TurnStep.Kind.ANSWER, body=storable(answer_as_json(answer))
        )
        Message.objects.filter(pk=turn.answer_id).update(text=storable(text))
        Turn.objects.filter(pk=turn.pk).update(rounds=F("rounds") + 1, model=answer.model)
        _keep_call(turn, call, recorded.used)


def keep_call(held: Held, recorded: Recorded) -> None:
    """A question that came to nothing that the turn could go on from: what it used counts all the same."""
    call = recorded.row(held.id)
    with holding(held) as turn:
        _keep_call(turn, call, recorded.used)


def keep_results(held: Held, number: int, results: Sequence[ToolResult]) -> None:
    """The results of all calls of the last answer, in its order."""
    body = [
        {"call_id": each.call_id, "name": each.name, "content": each.content, "failed": each.failed} for each in results
    ]
    with holding(held) as turn:
        TurnStep.objects.create(turn=turn, number=number, kind=TurnStep.Kind.RESULTS, body=storable({"results": body}))


def keep_summary(held: Held, number: int, text: str, recorded: Recorded) -> None:
    call = recorded.row(held.id)
    with holding(held) as turn:
        TurnStep.objects.create(turn=turn, number=number, kind=TurnStep.Kind.SUMMARY, body=storable({"text": text}))
        _keep_call(turn, call, recorded.used)


def keep_use(held: Held, use: ToolUse) -> None:
    """A call as it stands: about to be made, or put to the person first, or made after all."""
    with holding(held):
        use.save()


def note_use(held: Held, use_id: UUID, notes: Sequence[str]) -> None:
    """What a call that is being stopped said on its way: what it has begun goes on without it."""
    with holding(held):
        ToolUse.objects.filter(pk=use_id).update(
            result=storable({"content": [], "structured": None, "notes": list(notes)})
        )


def end_use(held: Held, use: ToolUse, status: ToolUse.Status, outcome: ToolOutcome) -> None:
    """Its end; what the server still asked in it is asked no more."""
    body = {
        "content": list(outcome.content),
        "structured": outcome.structured,
        "notes": list(outcome.notes),
    }
    use.status, use.result, use.ended_at = status, storable(body), timezone.now()
    with holding(held):
        use.save()
        withdraw(Inquiry.objects.filter(tool_use=use.pk))


def ask(held: Held, inquiry: Inquiry) -> None:
    with holding(held):
        inquiry.save(force_insert=True)


def answers_to(inquiries: Sequence[UUID]) -> dict[UUID, Any]:
    """What was answered so far, by the inquiry's id."""
    answered = Inquiry.objects.filter(pk__in=inquiries, answered_at__isnull=False)
    return dict(answered.values_list("pk", "answer"))


def withdraw_one(held: Held, inquiry_id: UUID) -> dict[str, Any]:
    """Ask it no more. What was answered to it, by now or for want of an answer."""
    with holding(held):
        withdraw(Inquiry.objects.filter(pk=inquiry_id))
        answer: dict[str, Any] = Inquiry.objects.get(pk=inquiry_id).answer
        return answer


def withdraw(inquiries: QuerySet[Inquiry]) -> int:
    """Those of them that nobody has answered are no longer asked; how many."""
    return inquiries.filter(answered_at=None).update(answer=WITHDRAWN, answered_at=timezone.now())


def answer_alike(held: Held, inquiries: Sequence[UUID], action: str) -> None:
    """What the person said of one call holds for these as well."""
    with holding(held):
        open_ones = Inquiry.objects.filter(pk__in=inquiries, answered_at=None)
        open_ones.update(answer={"action": action}, answered_at=timezone.now())


def permission_given(use_id: UUID) -> str | None:
    """What the person said to the call before whoever asked was lost; none where they are to be asked."""
    asked = Inquiry.objects.filter(tool_use=use_id, kind=Inquiry.Kind.PERMISSION, answered_at__isnull=False)
    last = asked.order_by("pk").last()
    return None if last is None or last.answer == WITHDRAWN else str(last.answer["action"])


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
        end_what_was_under_way([turn.pk])
        Turn.objects.filter(pk=turn.pk).update(
            status=status, error_code=code, error=said, ended_at=timezone.now(), lease_until=None, stop_wanted=False
        )
        channels.notify(channels.EVENTS, turn.pk)


def end_what_was_under_way(turns: Collection[UUID]) -> None:
    """Calls and questions end with their turn. By `began_at` one knows later whether a call may have been made."""
    uses = ToolUse.objects.filter(turn__in=turns, status__in=(ToolUse.Status.WAITING, ToolUse.Status.RUNNING))
    uses.update(status=ToolUse.Status.STOPPED, ended_at=timezone.now())
    withdraw(Inquiry.objects.filter(turn__in=turns))


def _keep_call(turn: Turn, call: TurnCall, used: Usage) -> None:
    """The record of a question, and what it used."""
    last = turn.model_calls.aggregate(last=Max("number"))["last"] or 0
    call.number = last + 1
    call.save(force_insert=True)
    changes: dict[str, Any] = {
        "input_tokens": F("input_tokens") + used.input,
        "cached_tokens": F("cached_tokens") + used.cached,
        "output_tokens": F("output_tokens") + used.output,
    }
    if used.cost_usd is not None:
        changes["cost_usd"] = Coalesce("cost_usd", Decimal(0)) + used.cost_usd
    elif used.total:
        changes["unpriced_calls"] = F("unpriced_calls") + 1
    Turn.objects.filter(pk=turn.pk).update(**changes)


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
