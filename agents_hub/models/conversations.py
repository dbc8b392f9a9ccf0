"""Conversations: a person's own, with one agent; their messages form a tree, of which one branch is shown at a time."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Membership, Organization
from agents_hub.models.agents import Agent
from agents_hub.models.search import Trigrams
from agents_hub.models.words import words_of_messages
from security.identifiers import uuid7


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def for_caller(self, caller: Caller) -> Self:
        """The caller's own, in organizations they still belong to: nobody reads what somebody else said."""
        own = Membership.objects.filter(user_id=caller.user_id).values("organization_id")
        return self.filter(owner_id=caller.user_id, organization_id__in=own)


class Conversation(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="conversations")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="conversations")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="conversations")
    title = models.CharField(
        max_length=200, blank=True, help_text="The beginning of what was said first, until renamed."
    )
    pinned_at = models.DateTimeField(null=True, blank=True)
    # The last message of the branch that is shown.
    tip = models.ForeignKey("Message", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    draft = models.TextField(
        blank=True, help_text="What was typed and not sent when the person left to connect a server."
    )
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now, help_text="When something was last said in it.")

    objects = ConversationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                F("owner"),
                F("pinned_at").desc(nulls_last=True),
                F("updated_at").desc(),
                F("id").desc(),
                name="conversation_in_order",
            ),
            models.Index(fields=["agent", "-updated_at"], name="conversation_by_agent"),
            # The few in which nothing was said: what is swept.
            models.Index(fields=["created_at"], condition=Q(tip=None), name="conversation_empty"),
            GinIndex(Trigrams("title"), name="conversation_by_title_part"),
        ]

    def __str__(self) -> str:
        # Not its title: that is what somebody said, and this is seen in logs and by operators.
        return f"Conversation {self.pk}"


class Speaker(models.TextChoices):
    PERSON = "person", "Person"
    AGENT = "agent", "Agent"


class Message(models.Model):
    """Something said. An agent's message is the answer of one turn; what tools did in it stands with the turn."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    # What it answers or follows; those with the same one before them are branches.
    before = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="after")
    speaker = models.CharField(max_length=6, choices=Speaker.choices)
    text = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(speaker__in=Speaker.values), name="message_speaker")]
        indexes = [
            models.Index(fields=["conversation", "id"], name="message_in_conversation"),
            GinIndex(words_of_messages(), name="message_by_plain_words"),
        ]

    def __str__(self) -> str:
        return f"Message {self.pk}"


class Grant(models.Model):
    """A tool that asks before use and that the person allowed for the rest of a conversation.

    `digest` is that of the tool as it was when they did: a tool that changed asks again.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="grants")
    tool = models.CharField(max_length=64, help_text="The name under which the agent calls it.")
    digest = models.CharField(max_length=64)
    granted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conversation", "tool"], name="grant_once")]

    def __str__(self) -> str:
        return f"{self.tool} in {self.conversation_id}"
