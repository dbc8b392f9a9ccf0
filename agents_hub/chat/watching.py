"""Looking at a turn as it happens: its events after a number, and the text of the round that is under way."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from accounts.caller import Caller
from accounts.errors import NotFound
from agents_hub.chat import channels
from agents_hub.chat.texts import joined, texts_of
from agents_hub.models import Turn, TurnEvent
from agents_hub.services.turns import find_turn
from dashboard.streams import Event, Reading, Subject

# Of one reading.
MOST_EVENTS = 500


def subject(caller: Caller, turn_id: UUID) -> Subject:
    """The turn as a stream of its events, for programs; checked for the caller now and while they look on."""
    find_turn(caller, turn_id)
    return Subject(channels.EVENTS, str(turn_id), read_events, lambda: find_turn(caller, turn_id))


def subject_of(caller: Caller, answer: Mapping[str, Any]) -> Subject:
    """The same of the turn that a route's answer names."""
    return subject(caller, UUID(answer["turnId"]))


def read_events(key: str, after: int) -> Reading:
    """The events by their kinds, and `turn`, a picture of how it stands."""
    turn = Turn.objects.filter(pk=key).first()
    if turn is None:
        raise NotFound("This answer is gone: its conversation was deleted.")
    events, last = events_after(turn.pk, after)
    found = [Event(event.kind, json.dumps(event.body, ensure_ascii=False), event.number) for event in events]
    stands = {"status": turn.status, "error": {"code": turn.error_code, "message": turn.error} if turn.error else None}
    # How it ended is told once all that came before has been.
    if not turn.is_over or not found or found[-1].number == last:
        found.append(Event("turn", json.dumps(stands, ensure_ascii=False)))
    return Reading(found, last, turn.is_over)


def events_after(turn_id: UUID, after: int, most: int = MOST_EVENTS) -> tuple[list[TurnEvent], int]:
    """The next events after that number, and the last one's number; a later one where there are others behind them."""
    found = list(TurnEvent.objects.filter(turn=turn_id, number__gt=after).order_by("number")[: most + 1])
    return found[:most], found[-1].number if found else after


def text_so_far(turn_id: UUID) -> str:
    """What was said in a turn under way: the rounds that are stored, and as much of the next one as there is.

    Its message is no help: of a turn that is gone on with it has the words of the round that broke off.
    """
    # First, for a round that is stored meanwhile is left out of it below.
    number, live = live_text(turn_id)
    written = texts_of([turn_id]).get(turn_id, [])
    return joined([*written, live] if number > len(written) else written)


def live_text(turn_id: UUID) -> tuple[int, str]:
    """The round that is being answered, or was stored a moment ago, and its text so far; 0 where none is."""
    marks = TurnEvent.objects.filter(turn=turn_id, kind__in=("began", "answered"))
    mark = marks.order_by("-number").first()
    if mark is None or mark.kind == "answered":
        return 0, ""
    pieces = TurnEvent.objects.filter(turn=turn_id, kind="text", number__gt=mark.number).order_by("number")
    return mark.body["round"], "".join(body["text"] for body in pieces.values_list("body", flat=True))
