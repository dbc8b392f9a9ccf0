"""An answer's stream: its events as changes of the page, rendered once for all who look on."""

import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from threading import Lock
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET

from accounts.errors import NotFound
from accounts.page_caller import caller
from agents_hub.chat import channels
from agents_hub.chat.claiming import what_holds_up
from agents_hub.chat.watching import events_after
from agents_hub.models import Inquiry, ToolUse, Turn, TurnEvent, TurnStep
from agents_hub.pages.chat import parts
from agents_hub.pages.chat.parts import Part, Said, Told
from agents_hub.pages.chat.writing import Writing
from agents_hub.services import turns as service
from dashboard import streams
from dashboard.streams import Event, Reading, Subject

# Events read at once; who is further behind reads again.
AT_ONCE = 500
# Answers of which this process knows what was being written at the last event it read.
MOST_KNOWN = 256


class Known:
    """What was being written in each answer at the last event that was read, so that it is not read again from the
    beginning of the round for each that comes. Whoever reads from elsewhere puts it together anew."""

    def __init__(self) -> None:
        self._at: OrderedDict[UUID, tuple[int, Writing]] = OrderedDict()
        self._lock = Lock()

    def at(self, turn: Turn, number: int) -> Writing:
        with self._lock:
            last, writing = self._at.get(turn.pk, (0, Writing()))
        return writing if last == number else Writing().and_then(_text_until(turn, number))[1]

    def keep(self, turn: Turn, number: int, writing: Writing) -> None:
        with self._lock:
            self._at[turn.pk] = (number, writing)
            self._at.move_to_end(turn.pk)
            if len(self._at) > MOST_KNOWN:
                self._at.popitem(last=False)


known = Known()


@require_GET
@login_required
def turn_stream(request: HttpRequest, turn_id: UUID) -> HttpResponse:
    """What happens in the answer from now on, for its own person."""
    check = partial(service.find_turn, caller(request), turn_id)
    check()
    return streams.answer(request, Subject(channels.EVENTS, str(turn_id), read, check))


def read(key: str, after: int) -> Reading:
    """For all who look on: nothing in it is made for one person."""
    turn = Turn.objects.select_related("conversation").filter(pk=key).first()
    if turn is None:
        raise NotFound("The conversation was deleted.")
    events, last = events_after(turn.pk, after, AT_ONCE)
    return Reading([Event("morph", standing(turn)), *_changes(turn, events, after)], last, turn.is_over)


def standing(turn: Turn) -> str:
    """What the answer is doing, and what can be done about it."""
    is_asking = Inquiry.objects.filter(turn=turn, answered_at=None, turn__ended_at=None).exists()
    kinds = TurnEvent.objects.filter(turn=turn).order_by("-number").values_list("kind", flat=True)
    told = {
        "turn": turn,
        "is_asking": is_asking,
        "is_compacting": not turn.is_over and kinds.first() == "compacting",
        "held_up": what_holds_up(turn),
    }
    return render_to_string("agents_hub/chat/standing.html", told)


def _changes(turn: Turn, events: Sequence[TurnEvent], after: int) -> list[Event]:
    """Each event as what it changes in the page, by its number. Pieces of text that follow each other are one."""
    uses = _uses(events)
    changes: list[Event] = []
    writing = known.at(turn, after) if events else Writing()
    for is_text, run in groupby(events, lambda event: event.kind == "text"):
        if is_text:
            change, writing = _written(turn, list(run), writing)
            changes.append(change)
            continue
        for event in run:
            part = _part(turn, event, uses)
            changes.append(Event(*(("none", "") if part is None else ("put", parts.as_html(part))), event.number))
            writing = Writing() if event.kind == "began" else writing
    if events:
        known.keep(turn, events[-1].number, writing)
    return changes


def _part(turn: Turn, event: TurnEvent, uses: Mapping[str, Part]) -> Part | None:
    """What is to stand in the page from that event on."""
    match event.kind:
        case "began":
            return Said.being_written(turn.pk, event.body["round"], "")
        case "answered":
            return Said.written(turn.pk, event.body["round"], _answer(turn, event.body["round"]))
        case "tool" | "inquiry" | "inquired":
            return uses.get(event.body["toolUseId"])
    return Told(event, turn.conversation_id) if parts.is_told(event) else None


def _written(turn: Turn, run: Sequence[TurnEvent], before: Writing) -> tuple[Event, Writing]:
    """More text of the round under way: the words alone, or the blocks that are complete by them and what is left."""
    number, added = run[-1].number, "".join(event.body["text"] for event in run)
    into = parts.said_element(turn.pk, run[-1].body["round"])
    blocks, writing = before.and_then(added)
    if not blocks:
        return Event("text", json.dumps({"into": into, "text": before.words(added)}), number), writing
    body = {"into": into, "html": parts.blocks_as_html(blocks), "tail": writing.tail}
    return Event("settled", json.dumps(body), number), writing


def _text_until(turn: Turn, number: int) -> str:
    """What was said of the round in which the event stands, up to it."""
    events = TurnEvent.objects.filter(turn=turn)
    began = events.filter(kind="began", number__lte=number).order_by("-number").values_list("number", flat=True).first()
    said = events.filter(kind="text", number__gt=began or 0, number__lte=number).order_by("number")
    return "".join(body["text"] for body in said.values_list("body", flat=True))


def _answer(turn: Turn, number: int) -> str:
    steps = TurnStep.objects.filter(turn=turn, kind=TurnStep.Kind.ANSWER).order_by("number")
    texts = list(steps.values_list("body__text", flat=True)[number - 1 : number])
    return str(texts[0]) if texts else ""


def _uses(events: Sequence[TurnEvent]) -> dict[str, Part]:
    ids = {event.body["toolUseId"] for event in events if "toolUseId" in event.body}
    if not ids:
        return {}
    return {str(one.use.pk): one for one in parts.used_of(ToolUse.objects.filter(pk__in=ids))}
