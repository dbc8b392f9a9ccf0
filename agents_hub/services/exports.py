"""Taking a conversation along: the branch that is shown, whole, in a form that other programs or people read."""

from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.chat import export
from agents_hub.chat.export import Part
from agents_hub.chat.texts import texts_of
from agents_hub.models import Conversation, Message, ToolUse, Turn
from agents_hub.services.attachments import of_messages
from agents_hub.services.conversations import branch_ids, find_conversation
from security import audit

# Messages read at once.
BATCH = 20


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


def parts_of(conversation: Conversation) -> Iterator[Part]:
    """The messages shown with all that belongs to them, read as they are asked for: a few messages at a time, and what
    tools gave one by one. What is deleted meanwhile is left out."""
    branch = branch_ids(conversation.tip_id)
    for begin in range(0, len(branch), BATCH):
        ids = branch[begin : begin + BATCH]
        messages, files = Message.objects.in_bulk(ids), of_messages(ids)
        turns = {turn.answer_id: turn for turn in Turn.objects.filter(answer__in=ids)}
        texts = texts_of(turn.pk for turn in turns.values())
        for message in (messages[pk] for pk in ids if pk in messages):
            turn = turns.get(message.pk)
            if turn is None:
                yield Part(message, files[message.pk])
            else:
                yield Part(message, files[message.pk], turn, _uses(turn), texts.get(turn.pk, ()))


def _uses(turn: Turn) -> Iterator[ToolUse]:
    """Each is as long as a server may answer, so never more than one is held."""
    for pk in list(turn.tool_uses.order_by("round", "place").values_list("pk", flat=True)):
        yield from ToolUse.objects.filter(pk=pk)
