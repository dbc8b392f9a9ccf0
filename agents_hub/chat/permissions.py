"""Which tools that ask before use a person has allowed for the rest of a conversation."""

from uuid import UUID

from django.utils import timezone

from agents_hub.chat.sources import ChatTool
from agents_hub.chat.store import Held, holding
from agents_hub.models import Grant


def is_granted(conversation_id: UUID, tool: ChatTool) -> bool:
    """Whether it was allowed as it is now: one that changed since asks again."""
    return Grant.objects.filter(conversation=conversation_id, tool=tool.name, digest=tool.digest).exists()


def grant(held: Held, conversation_id: UUID, tool: ChatTool) -> None:
    with holding(held):
        Grant.objects.update_or_create(
            conversation_id=conversation_id,
            tool=tool.name,
            defaults={"digest": tool.digest, "granted_at": timezone.now()},
        )
