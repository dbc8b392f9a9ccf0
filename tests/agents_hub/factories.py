"""Rows of agents for tests: each factory makes the least that is valid."""

from typing import Any

import factory
from django.utils import timezone

from accounts.models import Membership, Organization, User
from agents_hub.models import (
    Agent,
    Conversation,
    Inquiry,
    Message,
    Profile,
    ProfilePool,
    SharedFile,
    Speaker,
    ToolUse,
    Turn,
    TurnStatus,
)
from tests.factories import MembershipFactory, OrganizationFactory


class AgentFactory(factory.django.DjangoModelFactory[Agent]):
    class Meta:
        model = Agent

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Agent {number}")


class SharedFileFactory(factory.django.DjangoModelFactory[SharedFile]):
    """A row alone: there is no content where it says."""

    class Meta:
        model = SharedFile

    agent = factory.SubFactory(AgentFactory)
    name = factory.Sequence(lambda number: f"file {number}.txt")
    mime_type = "text/plain"
    size = 7
    sha256 = "0" * 64
    storage_name = factory.LazyAttribute(lambda row: f"{row.agent.pk}/{row.name}")


class ProfileFactory(factory.django.DjangoModelFactory[Profile]):
    class Meta:
        model = Profile

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Profile {number}")


class ProfilePoolFactory(factory.django.DjangoModelFactory[ProfilePool]):
    class Meta:
        model = ProfilePool

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Pool {number}")


def member_of(organization: Organization) -> User:
    membership: Membership = MembershipFactory(organization=organization)
    return membership.user


class ConversationFactory(factory.django.DjangoModelFactory[Conversation]):
    """One in which a question was asked and an answer failed, so that there is something of everything in it."""

    class Meta:
        model = Conversation

    agent = factory.SubFactory(AgentFactory)
    organization = factory.SelfAttribute("agent.organization")
    owner = factory.LazyAttribute(lambda made: member_of(made.organization))
    title = "A question"
    # How its one turn stands.
    turn = factory.Dict(
        {"status": TurnStatus.ERROR, "ended_at": factory.LazyFunction(timezone.now), "error": "It failed."}
    )

    @classmethod
    def _create(cls, model_class: type[Conversation], *args: Any, turn: dict[str, Any], **fields: Any) -> Conversation:
        conversation: Conversation = super()._create(model_class, *args, **fields)
        asked = Message.objects.create(conversation=conversation, speaker=Speaker.PERSON, text="A question")
        answer = Message.objects.create(conversation=conversation, speaker=Speaker.AGENT, before=asked)
        Turn.objects.create(conversation=conversation, answer=answer, **turn)
        conversation.tip = answer
        conversation.save(update_fields=["tip"])
        return conversation


def inquiry_of(conversation: Conversation) -> Inquiry:
    """Something that the conversation's turn asks its person, about a call of a tool."""
    use = ToolUse.objects.create(
        turn=conversation.turns.get(),
        round=1,
        place=1,
        name="printer_1__echo",
        title="Echo",
        origin="server:1",
        origin_name="Printer",
        status=ToolUse.Status.WAITING,
    )
    return Inquiry.objects.create(
        turn=use.turn, tool_use=use, kind=Inquiry.Kind.PERMISSION, asked_by="Printer", message="Allow “Echo”?"
    )
