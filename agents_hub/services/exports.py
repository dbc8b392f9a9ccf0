"""Taking a conversation along: the branch that is shown, whole, in a form that other programs or people read."""

from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.chat import export, history
from agents_hub.chat.export import Part
from agents_hub.models import Conversation, ToolUse, Turn
from agents_hub.services.attachments import of_messages
from agents_hub.services.conversations import branch_of, find_conversation
from security import audit


class Form(StrEnum):
    MARKDOWN = "markdown"
    JSON = "json"

    @property
    def mime_type(self) -> str:
        return "text/markdown" if self is Form.MARKDOWN else "application/json"

    @property
    def suffix(self) -> str:
        return "md" if self is Form.MARKDOWN else "json"


def export_conversation(caller: Caller, *, conversation_id: UUID, form: Form) -> tuple[Conversation, Iterator[str]]:
    """The conversation, and its export in pieces. Only its owner has it."""
    caller.require(Scope.READ)
    conversation = find_conversation(caller, conversation_id)
    audit.record("conversation.export", caller=caller, target=f"conversation:{conversation.pk}")
    write = export.as_markdown if form is Form.MARKDOWN else export.as_json
    return conversation, write(conversation, parts_of(conversation))


def parts_of(conversation: Conversation) -> list[Part]:
    """The messages shown with all that belongs to them, in a fixed number of queries."""
    messages = [placed.message for placed in branch_of(conversation)]
    ids = [message.pk for message in messages]
    files, steps = of_messages(ids), history.steps_by_answer(ids)
    turns = {turn.answer_id: turn for turn in Turn.objects.filter(answer__in=ids)}
    uses: dict[UUID, list[ToolUse]] = {}
    for use in ToolUse.objects.filter(turn__in=turns.values()).order_by("turn_id", "round", "place"):
        uses.setdefault(use.turn_id, []).append(use)
    return [
        Part(
            message,
            files[message.pk],
            turn := turns.get(message.pk),
            uses.get(turn.pk, ()) if turn else (),
            steps[message.pk].texts if message.pk in steps else (),
        )
        for message in messages
    ]
