"""The shown branch of a conversation with all that belongs to its messages, a few at a time, to be taken along."""

from collections.abc import Iterator, Sequence
from itertools import islice
from uuid import UUID

from agents_hub.chat.export import Part
from agents_hub.models import Conversation, ToolUse, Turn, TurnStep
from agents_hub.services.attachments import of_messages
from agents_hub.services.conversations import Placed, branch_of

AT_ONCE = 50


def parts_of(conversation: Conversation) -> Iterator[Part]:
    """Of a conversation that was reached as the caller's."""
    branch = iter(branch_of(conversation))
    while placed := list(islice(branch, AT_ONCE)):
        yield from _parts(placed)


def _parts(placed: Sequence[Placed]) -> Iterator[Part]:
    ids = [one.message.pk for one in placed]
    attached = of_messages(ids)
    turns = {turn.answer_id: turn for turn in Turn.objects.filter(answer__in=ids).order_by("pk")}
    uses: dict[UUID, list[ToolUse]] = {}
    for use in ToolUse.objects.filter(turn__in=turns.values()).order_by("turn_id", "round", "place"):
        uses.setdefault(use.turn_id, []).append(use)
    texts: dict[UUID, list[str]] = {}
    answers = TurnStep.objects.filter(turn__in=turns.values(), kind=TurnStep.Kind.ANSWER).order_by("turn_id", "number")
    for turn_id, text in answers.values_list("turn_id", "body__text"):
        texts.setdefault(turn_id, []).append(text)
    for one in placed:
        turn = turns.get(one.message.pk)
        if turn is None:
            yield Part(one.message, attached[one.message.pk])
        else:
            yield Part(one.message, attached[one.message.pk], turn, uses.get(turn.pk, []), texts.get(turn.pk, []))
