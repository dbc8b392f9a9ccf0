"""What chats bring to the shell: places in the jump list, and the home page's panel."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.caller import Caller
from accounts.models import User
from accounts.page_caller import caller
from agents_hub.models import Agent, Conversation
from agents_hub.models.search import named_like
from agents_hub.services import conversations as service
from dashboard.jump import MOST_PER_SOURCE, Place
from dashboard.organizations import current_organization

MOST_RECENT = 5


def agents(person: User, words: str) -> Iterable[Place]:
    """The agents that the person may talk to, whose names hold every word typed."""
    found = Agent.objects.to_talk_to(Caller.system(person.pk)).select_related("organization")
    for word in words.split():
        found = named_like(found, word)
    for agent in found.order_by("name", "id")[:MOST_PER_SOURCE]:
        yield Place(agent.name, f"{reverse('chat:new')}?agent={agent.pk}", agent.organization.name)


def conversations(person: User, words: str) -> Iterable[Place]:
    """The person's own, by their titles."""
    own = Conversation.objects.for_caller(Caller.system(person.pk)).filter(tip__isnull=False).select_related("agent")
    for word in words.split():
        own = named_like(own, word, field="title")
    for conversation in own.order_by("-updated_at", "-id")[:MOST_PER_SOURCE]:
        yield Place(conversation.title, reverse("chat:conversation", args=[conversation.pk]), conversation.agent.name)


def panel(request: HttpRequest) -> Mapping[str, Any]:
    """Where the person left off, and whom they can talk to."""
    organization = current_organization(request)
    if organization is None:
        return {"recent": (), "agents": ()}
    who = caller(request)
    recent = service.list_conversations(who, organization_id=organization.uid, page_size=MOST_RECENT).rows
    offered = service.list_agents_to_talk_to(who, organization_id=organization.uid, page_size=MOST_RECENT).rows
    return {"recent": recent, "agents": offered}
