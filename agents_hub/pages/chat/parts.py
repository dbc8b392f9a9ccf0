"""An answer as people see it, from the rows of its turn: what was said in each round, what tools did, what is amiss.

Each part is one element of the page with an id of its own, rendered alike for the page and for its stream.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from agents_hub.chat.markdown import rendered
from agents_hub.chat.previews import Preview, previews_of
from agents_hub.chat.texts import texts_of
from agents_hub.models import Inquiry, ToolUse, Turn, TurnEvent, TurnStatus
from agents_hub.pages.chat import asking, results
from agents_hub.pages.chat.asking import Asking
from agents_hub.pages.chat.results import Result
from agents_hub.pages.chat.writing import parted

FOLDER = "agents_hub/chat"
# What is told beside the text: a server that cannot be used, tools that are searched.
TOLD = ("problem", "tools")
# What was said to a permission; that it was denied is the call's own status.
SAID_WORDS = {"once": "Allowed once", "always": "Allowed for this chat"}


@dataclass(frozen=True, slots=True)
class Said:
    """What the model said in one round. `tail` is the block that it is still writing, shown without markup."""

    turn_id: UUID
    round: int
    settled: SafeString
    tail: str = ""
    is_open: bool = False
    template = f"{FOLDER}/said.html"

    @classmethod
    def written(cls, turn_id: UUID, number: int, text: str) -> "Said":
        return cls(turn_id, number, rendered(text))

    @classmethod
    def being_written(cls, turn_id: UUID, number: int, text: str) -> "Said":
        blocks, rest = parted(text)
        return cls(turn_id, number, blocks_as_html(blocks), rest.tail, is_open=True)

    @property
    def element(self) -> str:
        return said_element(self.turn_id, self.round)


@dataclass(frozen=True, slots=True)
class Used:
    """A call of a tool."""

    use: ToolUse
    arguments: str
    result: Result | None
    asked: Asking | None = None
    permitted: str = ""
    template = f"{FOLDER}/use.html"

    @property
    def turn_id(self) -> UUID:
        return self.use.turn_id

    @property
    def arguments_id(self) -> str:
        return f"arguments-{self.use.pk.hex}"


@dataclass(frozen=True, slots=True)
class Told:
    """A server that cannot be used in this turn, or that there are so many tools that they are searched."""

    event: TurnEvent
    conversation_id: UUID
    template = f"{FOLDER}/told.html"

    @property
    def turn_id(self) -> UUID:
        return self.event.turn_id

    @property
    def server_id(self) -> int | None:
        """Of a problem with a remote server that the person fixes by connecting."""
        name, _, number = str(self.event.body.get("origin", "")).partition(":")
        return int(number) if name == "server" and number.isdigit() and self.event.body.get("connects") else None


Part = Said | Used | Told


@dataclass(slots=True)
class Parts:
    """The parts of one turn, as they were after event `last`."""

    shown: list[Part] = field(default_factory=list)
    last: int = 0


def said_element(turn_id: UUID, number: int) -> str:
    return f"said-{turn_id.hex}-{number}"


def blocks_as_html(blocks: Iterable[str]) -> SafeString:
    """Each block by itself, as it is streamed: the same whether they come together or one after the other."""
    return format_html_join("", "{}", ((rendered(block),) for block in blocks))


def as_html(part: Part) -> str:
    return render_to_string(part.template, {"part": part})


def parts_of(turns: Sequence[Turn], bound: Mapping[UUID, Asking] | None = None) -> dict[UUID, Parts]:
    """The parts of the turns, by their ids, in as many queries however many turns. `bound` are forms with what was
    typed into them, by their inquiries."""
    ids = [turn.pk for turn in turns]
    # Events first: what is read after them may know more than they, never less.
    events = _events(ids)
    written = texts_of(ids)
    found = {turn.pk: Parts(last=events[turn.pk][-1].number if events[turn.pk] else 0) for turn in turns}
    used = used_of(ToolUse.objects.filter(turn__in=ids), bound)
    for turn in turns:
        parts = found[turn.pk].shown
        parts += [Told(event, turn.conversation_id) for event in events[turn.pk] if is_told(event)]
        said = _said(turn, written.get(turn.pk, []), events[turn.pk])
        uses = [one for one in used if one.turn_id == turn.pk]
        for number in sorted({one.round for one in said} | {one.use.round for one in uses}):
            parts += [one for one in said if one.round == number]
            parts += [one for one in uses if one.use.round == number]
    return found


def used_of(uses: "QuerySet[ToolUse]", bound: Mapping[UUID, Asking] | None = None) -> list[Used]:
    """The calls in their order, each with the beginning of what it gave and with what it asks the person."""
    rows = list(uses.defer("result").order_by("turn_id", "round", "place"))
    previews = previews_of([row.pk for row in rows])
    asked: dict[UUID, list[Inquiry]] = {}
    for inquiry in Inquiry.objects.filter(tool_use__in=[row.pk for row in rows]).order_by("pk"):
        asked.setdefault(inquiry.tool_use_id, []).append(inquiry)
    return [_used(row, previews.get(row.pk), asked.get(row.pk, []), bound or {}) for row in rows]


def is_told(event: TurnEvent) -> bool:
    return event.kind == "problem" or (event.kind == "tools" and bool(event.body.get("searched")))


def _used(use: ToolUse, preview: Preview | None, inquiries: Sequence[Inquiry], bound: Mapping[UUID, Asking]) -> Used:
    is_over = use.status not in (ToolUse.Status.WAITING, ToolUse.Status.RUNNING)
    still = next((one for one in inquiries if one.answered_at is None and not is_over), None)
    asked = bound.get(still.pk) or asking.asking(still) if still is not None else None
    said = (one.answer["action"] for one in inquiries if _is_permission(one))
    permitted = next((SAID_WORDS[action] for action in said if action in SAID_WORDS), "")
    return Used(use, results.as_json(use.arguments), results.result_of(preview), asked, permitted)


def _is_permission(inquiry: Inquiry) -> bool:
    return inquiry.kind == Inquiry.Kind.PERMISSION and inquiry.answered_at is not None


def _events(ids: Collection[UUID]) -> dict[UUID, list[TurnEvent]]:
    """What is told of each turn and, of one under way, its rounds and the last one's text: one moment."""
    under_way = Q(turn__ended_at=None)
    began = TurnEvent.objects.filter(turn=OuterRef("turn"), kind="began").values("turn").values(last=Max("number"))
    wanted = Q(kind__in=TOLD) | under_way & (~Q(kind="text") | Q(number__gt=Subquery(began)))
    found: dict[UUID, list[TurnEvent]] = {turn_id: [] for turn_id in ids}
    for event in TurnEvent.objects.filter(wanted, turn__in=ids).order_by("turn_id", "number"):
        found[event.turn_id].append(event)
    return found


def _said(turn: Turn, written: Sequence[str], events: Sequence[TurnEvent]) -> list[Said]:
    """What was said, as far as the events go where the turn is under way."""
    live = _live_round(events)
    texts = {number: text.strip() for number, text in enumerate(written, 1) if live is None or number < live}
    said = [Said.written(turn.pk, number, text) for number, text in texts.items() if text]
    if live is not None:
        text = "".join(event.body["text"] for event in events if event.kind == "text")
        return [*said, Said.being_written(turn.pk, live, text)]
    if turn.status != TurnStatus.COMPLETED and (broken_off := _after(turn.answer.text, texts.values())):
        said.append(Said.written(turn.pk, len(written) + 1, broken_off))
    return said


def _after(text: str, written: Iterable[str]) -> str:
    """What stands in a message after all that was stored round by round: the beginning of an answer that broke off."""
    end = 0
    for part in written:
        found = text.find(part, end)
        end = found + len(part) if found >= 0 else end
    return text[end:].strip()


def _live_round(events: Sequence[TurnEvent]) -> int | None:
    """The round that the model is answering, as of the last event."""
    rounds = [event for event in events if event.kind in ("began", "answered")]
    return int(rounds[-1].body["round"]) if rounds and rounds[-1].kind == "began" else None
