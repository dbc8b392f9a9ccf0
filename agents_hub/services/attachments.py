"""What can be done with the files of messages: attach them, send them, look them up, take one away again.

Links to their content are those of all files (`agents_hub.files.links`), good for their owner alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.files import content, reading
from agents_hub.files.content import Kept
from agents_hub.files.reading import Reading
from agents_hub.models import Attachment, Conversation, Message
from agents_hub.models.attachments import KEPT_UNSENT_FOR
from agents_hub.services.conversations import agent_to_talk_to, find_conversation
from agents_hub.services.quota import make_room
from agents_hub.services.sweeping import sweep
from security import audit

MOST_IN_A_MESSAGE = 10
# What one person can have attached and not sent, over all their conversations.
MOST_UNSENT = 50


def attach(
    caller: Caller,
    *,
    files: "Sequence[File[Any]]",
    conversation_id: UUID | None = None,
    agent_id: UUID | None = None,
) -> list[Attachment]:
    """Keep files for a message that is not sent yet: all of them, or, where one cannot be, none.

    For a conversation of the caller's, or, before there is one, for the first message to an agent.
    """
    caller.require(Scope.WRITE)
    organization_id = _organization(caller, conversation_id, agent_id)
    if len(files) > MOST_IN_A_MESSAGE:
        raise _too_many(len(files))
    readings = [reading.read(file) for file in files]
    with content.keeping(files) as kept, transaction.atomic():
        make_room(organization_id, sum(one.size for one in kept))
        if Attachment.objects.filter(owner_id=caller.user_id, message=None).count() + len(kept) > MOST_UNSENT:
            raise Conflict(
                f"You would have more than {MOST_UNSENT} unsent files. Send or remove some, or wait an hour.",
                code="too_many",
            )
        attached = [
            _add(caller, organization_id, conversation_id, one, read) for one, read in zip(kept, readings, strict=True)
        ]
        detail = {"files": [{"name": one.name, "size": one.size} for one in attached]}
        audit.record("attachment.add", caller=caller, target=f"organization:{organization_id}", detail=detail)
    return attached


def claim(caller: Caller, *, attachment_ids: Sequence[UUID], message: Message) -> list[Attachment]:
    """Make the files the message's, in the order given; within the transaction in which the message is made.

    One that another message of the conversation has already is the same content again: so a message that is edited
    keeps its files. `NotFound` where one is not the caller's, is another conversation's, or its hour is over.
    """
    ids = list(dict.fromkeys(attachment_ids))
    if len(ids) > MOST_IN_A_MESSAGE:
        raise _too_many(len(ids))
    conversation = message.conversation
    own = Attachment.objects.for_caller(caller).filter(organization_id=conversation.organization_id)
    # In one order, so that two who want the same rows wait for each other and never for both.
    rows = {row.pk: row for row in own.filter(pk__in=ids).select_for_update(of=("self",)).order_by("pk")}
    claimed = []
    for place, attachment_id in enumerate(ids):
        row = rows.get(attachment_id)
        if row is None or not _can_join(row, conversation):
            raise NotFound("A file is no longer there: unsent files are kept for an hour. Attach it again.")
        claimed.append(_again(row, message, place) if row.is_sent else _sent(row, message, place))
    return claimed


def of_messages(message_ids: Iterable[UUID], *, with_text: bool = False) -> dict[UUID, list[Attachment]]:
    """The files of messages that were reached as the caller's, in one query. Without `with_text`, their text is left
    in the database."""
    found: dict[UUID, list[Attachment]] = {message_id: [] for message_id in message_ids}
    rows = Attachment.objects.filter(message_id__in=found).order_by("message_id", "place")
    for row in rows if with_text else rows.defer("text"):
        found[row.message_id or UUID(int=0)].append(row)
    return found


def unsent(caller: Caller, *, conversation_id: UUID) -> list[Attachment]:
    """What waits to be sent with the next message of a conversation."""
    conversation = find_conversation(caller, conversation_id)
    rows = Attachment.objects.for_caller(caller).filter(conversation=conversation, message=None)
    return list(rows.filter(expires_at__gt=timezone.now()).defer("text").order_by("pk"))


def find_attachment(caller: Caller, *, attachment_id: UUID) -> Attachment:
    caller.require(Scope.READ)
    row = Attachment.objects.for_caller(caller).filter(pk=attachment_id).defer("text").first()
    if row is None or _is_over(row):
        raise NotFound("You have no such file.")
    return row


def remove(caller: Caller, *, attachment_id: UUID) -> None:
    """Take away a file that was not sent. A sent one goes with its conversation."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        row = Attachment.objects.for_caller(caller).filter(pk=attachment_id).select_for_update(of=("self",)).first()
        if row is None:
            raise NotFound("You have no such file.")
        if row.is_sent:
            raise Conflict(f"“{row.name}” was sent; it is deleted with its conversation.", code="sent")
        audit.record("attachment.remove", caller=caller, target=f"attachment:{row.pk}", detail={"name": row.name})
        row.delete()


def sweep_unsent() -> int:
    """Delete those that were not sent within their hour, with their content. Returns how many there were."""
    due = Attachment.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
    # One that is being sent at this moment is held, and no longer due once it is let go.
    return sweep(due)


def _organization(caller: Caller, conversation_id: UUID | None, agent_id: UUID | None) -> int:
    if conversation_id is not None:
        return find_conversation(caller, conversation_id).organization_id
    if agent_id is not None:
        return agent_to_talk_to(caller, agent_id).organization_id
    raise Invalid("Name the conversation or the agent that the files are for.", data={"field": "conversation_id"})


def _add(caller: Caller, organization_id: int, conversation_id: UUID | None, kept: Kept, read: Reading) -> Attachment:
    return Attachment.objects.create(
        organization_id=organization_id,
        owner_id=caller.user_id,
        conversation_id=conversation_id,
        kind=read.kind,
        text=read.text,
        note=read.note,
        expires_at=timezone.now() + KEPT_UNSENT_FOR,
        **kept.fields(),
    )


def _can_join(row: Attachment, conversation: Conversation) -> bool:
    if row.is_sent:
        return row.conversation_id == conversation.pk
    return row.conversation_id in {None, conversation.pk} and not _is_over(row)


def _is_over(row: Attachment) -> bool:
    return row.expires_at is not None and row.expires_at <= timezone.now()


def _sent(row: Attachment, message: Message, place: int) -> Attachment:
    row.message, row.conversation, row.place, row.expires_at = message, message.conversation, place, None
    row.save(update_fields=["message", "conversation", "place", "expires_at"])
    return row


def _again(row: Attachment, message: Message, place: int) -> Attachment:
    """A row of the message's own for content that `row`, which is held, names."""
    return Attachment.objects.create(
        organization_id=row.organization_id,
        owner_id=row.owner_id,
        conversation=message.conversation,
        message=message,
        place=place,
        kind=row.kind,
        text=row.text,
        note=row.note,
        is_borrowed=True,
        name=row.name,
        mime_type=row.mime_type,
        size=row.size,
        sha256=row.sha256,
        storage_name=row.storage_name,
    )


def _too_many(count: int) -> Invalid:
    return Invalid(
        f"{count} files are too many. A message can carry at most {MOST_IN_A_MESSAGE}.", data={"field": "files"}
    )
