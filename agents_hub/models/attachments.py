"""Files that people attach to what they say in a chat. They wait for an hour to be sent, and go with the message."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.caller import Caller
from accounts.models import Membership, Organization
from agents_hub.models.conversations import Conversation, Message
from agents_hub.models.files import FileQuerySet, StoredContent
from security.identifiers import uuid7

KEPT_UNSENT_FOR = timedelta(minutes=60)


class AttachmentKind(models.TextChoices):
    TEXT = "text", "Text"
    PDF = "pdf", "PDF"
    IMAGE = "image", "Image"


class AttachmentQuerySet(FileQuerySet["Attachment"]):
    def for_caller(self, caller: Caller) -> Self:
        """The caller's own, in organizations they still belong to, as their conversations are."""
        own = Membership.objects.filter(user_id=caller.user_id).values("organization_id")
        return self.filter(owner_id=caller.user_id, organization_id__in=own)

    def counted(self) -> Self:
        return self.filter(is_borrowed=False)


class Attachment(StoredContent):
    """A file with what a model can read of it. A message that is edited has rows of its own for the same content."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    conversation = models.ForeignKey(
        Conversation, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments"
    )
    message = models.ForeignKey(Message, null=True, blank=True, on_delete=models.CASCADE, related_name="attachments")
    place = models.PositiveSmallIntegerField(default=0, help_text="Which of its message's it is.")
    kind = models.CharField(max_length=5, choices=AttachmentKind.choices)
    text = models.TextField(blank=True, help_text="What a model is given of it; nothing of an image.")
    note = models.CharField(max_length=200, blank=True, help_text="What was left out of the text, for people.")
    storage_name = models.CharField(max_length=200, db_index=True, editable=False)
    is_borrowed = models.BooleanField(default=False, help_text="Its content is an earlier attachment's.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Until it is sent.")

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AttachmentKind.values), name="attachment_kind"),
            models.CheckConstraint(
                condition=Q(message__isnull=True) ^ Q(expires_at__isnull=True), name="attachment_sent_or_expires"
            ),
            models.CheckConstraint(
                condition=Q(message__isnull=True) | Q(conversation__isnull=False), name="attachment_in_conversation"
            ),
        ]
        indexes = [
            models.Index(fields=["message", "place"], name="attachment_of_message"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="attachment_due"),
            models.Index(fields=["owner"], condition=Q(message__isnull=True), name="attachment_unsent"),
            # What an organization's files take up, from the index alone.
            models.Index(
                fields=["organization"], include=["size"], condition=Q(is_borrowed=False), name="attachment_sizes"
            ),
        ]

    @property
    def is_sent(self) -> bool:
        return self.message_id is not None
