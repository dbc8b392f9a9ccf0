"""A conversation as its page shows it: the messages of the branch, the answer under way, what it needs and cost."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max, Sum
from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.caller import Caller
from accounts.errors import NotFound
from agents_hub.chat.markdown import rendered
from agents_hub.chat.store import last_event
from agents_hub.models import Agent, Conversation, Message, Speaker, Turn
from agents_hub.pages.chat.asking import Asking
from agents_hub.pages.chat.files import as_links
from agents_hub.pages.chat.live import standing
from agents_hub.pages.chat.parts import Part, Parts, parts_of
from agents_hub.services import turns
from agents_hub.services.attachments import of_messages, unsent
from agents_hub.services.conversations import Placed, agent_to_talk_to, branch_ids, branch_of
from agents_hub.services.readiness import Lack, lacks_of

# Messages shown at once; those before them are a page away.
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A message of the branch. An answer has its turn and parts; what a person said has its text."""

    placed: Placed
    html: SafeString = field(default_factory=SafeString)
    turn: Turn | None = None
    parts: Sequence[Part] = ()
    files: Sequence[Mapping[str, Any]] = ()
    edited: str | None = None
    """What was to stand in its place, and could not be sent."""

    @property
    def message(self) -> Message:
        return self.placed.message

    @property
    def is_mine(self) -> bool:
        return self.message.speaker == Speaker.PERSON


@dataclass(frozen=True, slots=True)
class Spent:
    """What the answers of a conversation used together, on all its branches."""

    tokens: int
    usd: Decimal | None
    is_partial: bool
    """Whether some of it has a price that nobody knows."""


@dataclass(frozen=True, slots=True)
class Thread:
    """`talkable` is the agent while the person may talk to it. `stream` is there where the answer under way is shown.

    `mark` changes with whatever would make the page another one, but for what the stream brings.
    """

    conversation: Conversation
    shown: Sequence[Shown]
    earlier: int
    under_way: Turn | None
    is_shown: bool
    last_event: int
    standing: str
    talkable: Agent | None
    lacks: Sequence[Lack]
    unsent: Sequence[Mapping[str, Any]]
    spent: Spent
    mark: str

    @property
    def can_edit(self) -> bool:
        return self.talkable is not None and self.under_way is None

    @property
    def stream(self) -> str:
        if self.under_way is None or not self.is_shown:
            return ""
        return reverse("chat:stream", args=[self.under_way.pk])


def thread_of(
    caller: Caller,
    conversation: Conversation,
    *,
    until: int = 0,
    bound: Mapping[UUID, Asking] | None = None,
    edited: Mapping[UUID, str] | None = None,
) -> Thread:
    """`until` is how many of the first messages end the part that is shown; 0 shows the last ones. `bound` are forms
    with what was typed into them, `edited` what was to stand in the place of messages."""
    under_way = turns.turn_under_way(conversation)
    # The mark first: what is read after it may know more than it, never less.
    mark = mark_of(conversation, under_way)
    branch = branch_ids(conversation.tip_id)
    end = until if 0 < until < len(branch) else len(branch)
    begin = max(0, end - MOST_SHOWN)
    placed = branch_of(conversation, branch[begin:end])
    answers = [one.message.pk for one in placed if one.message.speaker == Speaker.AGENT]
    found = {turn.answer_id: turn for turn in Turn.objects.filter(answer__in=answers).select_related("answer")}
    parts = parts_of(list(found.values()), bound)
    is_shown = under_way is not None and under_way.answer_id in found
    talkable = _talkable(caller, conversation)
    return Thread(
        conversation=conversation,
        shown=_shown(caller, placed, found, parts, edited or {}),
        earlier=begin,
        under_way=under_way,
        is_shown=is_shown,
        last_event=parts[under_way.pk].last if under_way is not None and is_shown else 0,
        standing=_standing(under_way, [found[answer] for answer in answers if answer in found]),
        talkable=talkable,
        lacks=lacks_of(caller, talkable) if talkable is not None else [],
        unsent=as_links(caller, unsent(caller, conversation_id=conversation.pk)),
        spent=_spent(conversation),
        mark=mark,
    )


def mark_of(conversation: Conversation, under_way: Turn | None) -> str:
    """By this a page knows that it shows what there is. While an answer is under way it changes with each event."""
    ended = conversation.turns.aggregate(last=Max("ended_at"))["last"]
    parts = [conversation.tip_id, conversation.title, ended]
    told = last_event(under_way.pk) if under_way is not None else ""
    return hashlib.sha256(repr([*parts, told]).encode()).hexdigest()[:16]


def _shown(
    caller: Caller,
    placed: Sequence[Placed],
    turns_by_answer: Mapping[UUID, Turn],
    parts: Mapping[UUID, Parts],
    edited: Mapping[UUID, str],
) -> list[Shown]:
    files = of_messages(one.message.pk for one in placed)
    shown = []
    for one in placed:
        message = one.message
        if (turn := turns_by_answer.get(message.pk)) is not None:
            shown.append(Shown(one, turn=turn, parts=parts[turn.pk].shown))
        else:
            links = as_links(caller, files[message.pk])
            shown.append(Shown(one, rendered(message.text), files=links, edited=edited.get(message.pk)))
    return shown


def _standing(under_way: Turn | None, shown: Sequence[Turn]) -> str:
    """Of the answer under way, else of the last one shown: so its end is still there to be heard when the page that
    told of it has been loaded anew."""
    turn = under_way or (shown[-1] if shown else None)
    return standing(turn) if turn is not None else ""


def _talkable(caller: Caller, conversation: Conversation) -> Agent | None:
    try:
        return agent_to_talk_to(caller, conversation.agent_id)
    except NotFound:
        return None


def _spent(conversation: Conversation) -> Spent:
    total = conversation.turns.aggregate(
        input=Sum("input_tokens", default=0),
        output=Sum("output_tokens", default=0),
        usd=Sum("cost_usd"),
        unpriced=Sum("unpriced_calls", default=0),
    )
    return Spent(total["input"] + total["output"], total["usd"], total["unpriced"] > 0)
