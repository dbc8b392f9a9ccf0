"""What a person can do with their conversations: begin, find, list, search, rename, pin, delete, look at a branch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organizations_of
from agents_hub.models import Agent, Conversation, Message
from agents_hub.models.search import named_like
from agents_hub.models.words import parted, words_of_messages
from agents_hub.services.agents import find_agent
from agents_hub.services.sweeping import sweep
from dashboard.numbered_pages import NumberedPage, numbered
from security import audit
from security.storable import storable

LONGEST_TITLE = 200
LONGEST_DRAFT = 100_000
# Agents to filter by; who talks with more searches.
MOST_AGENTS = 200
# Of what was said first, in characters: the title until the person gives another.
TITLE_FROM_TEXT = 80
# How long one stays in which nothing was said: a program may begin one and speak later.
EMPTY_KEPT_HOURS = 24

# The messages from the first to `tip`. Goes up by the primary key, one message a round.
BRANCH = """
    WITH RECURSIVE branch AS (
        SELECT id, before_id, 0 AS depth FROM agents_hub_message WHERE id = %(tip)s
        UNION ALL
        SELECT message.id, message.before_id, branch.depth + 1
        FROM agents_hub_message message JOIN branch ON message.id = branch.before_id
    )
    SELECT id FROM branch ORDER BY depth DESC
"""
# The last message below `top`, taking the newest branch at each fork.
NEWEST_TIP = """
    WITH RECURSIVE down AS (
        SELECT %(top)s::uuid AS id, 0 AS depth
        UNION ALL
        SELECT (SELECT message.id FROM agents_hub_message message WHERE message.before_id = down.id
                ORDER BY message.id DESC LIMIT 1), down.depth + 1
        FROM down WHERE down.id IS NOT NULL
    )
    SELECT id FROM down WHERE id IS NOT NULL ORDER BY depth DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """A message of the branch that is shown. `others` are all at its place, itself among them, the oldest first."""

    message: Message
    others: Sequence[UUID]

    @property
    def place(self) -> int:
        """Counted from 1."""
        return self.others.index(self.message.pk) + 1

    @property
    def previous(self) -> UUID | None:
        return self.others[self.place - 2] if self.place > 1 else None

    @property
    def next(self) -> UUID | None:
        return self.others[self.place] if self.place < len(self.others) else None


def agent_to_talk_to(caller: Caller, agent_id: UUID) -> Agent:
    """The agent, if the caller may talk to it now; else `NotFound`, which does not tell whether there is one."""
    agent = Agent.objects.to_talk_to(caller).select_related("organization").filter(pk=agent_id).first()
    if agent is None:
        raise NotFound("There is no such agent that you may talk to. It may not be released yet; ask an administrator.")
    return agent


def list_agents_to_talk_to(
    caller: Caller, *, organization_id: UUID | None = None, search: str = "", page: int = 1, page_size: int = 25
) -> NumberedPage[Agent]:
    caller.require(Scope.READ)
    agents = Agent.objects.to_talk_to(caller).filter(organization_id__in=organizations_of(caller, organization_id))
    if search:
        agents = named_like(agents, search)
    return numbered(agents.select_related("organization"), order=("name", "id"), number=page, size=page_size)


def begin_conversation(caller: Caller, *, agent_id: UUID) -> Conversation:
    """An empty conversation with an agent that the caller may talk to."""
    caller.require(Scope.WRITE)
    agent = agent_to_talk_to(caller, agent_id)
    return Conversation.objects.create(agent=agent, organization_id=agent.organization_id, owner_id=caller.user_id)


def find_conversation(caller: Caller, conversation_id: UUID) -> Conversation:
    """The caller's own, with its agent; `NotFound` for anybody else's."""
    caller.require(Scope.READ)
    return _found(Conversation.objects.for_caller(caller), conversation_id)


def list_conversations(
    caller: Caller,
    *,
    organization_id: UUID | None = None,
    agent_id: UUID | None = None,
    search: str = "",
    page: int = 1,
    page_size: int = 25,
) -> NumberedPage[Conversation]:
    """The caller's own, pinned ones first, then those in which something was said last.

    `search` finds titles that hold it, and messages that hold each of its words.
    """
    caller.require(Scope.READ)
    conversations = Conversation.objects.for_caller(caller).select_related("agent")
    # One that was begun and in which nothing was said, nor typed, is nothing to come back to.
    conversations = conversations.exclude(tip=None, draft="")
    if organization_id is not None:
        conversations = conversations.filter(organization_id__in=organizations_of(caller, organization_id))
    if agent_id is not None:
        conversations = conversations.filter(agent=find_agent(caller, agent_id))
    if search := storable(search).strip():
        conversations = conversations.filter(Q(pk__in=_titled(caller, search)) | Exists(_saying(search)))
    order = (F("pinned_at").desc(nulls_last=True), F("updated_at").desc(), F("id").desc())
    return numbered(conversations, order=order, number=page, size=page_size)


def agents_talked_with(caller: Caller, *, organization_id: UUID) -> list[Agent]:
    """The agents of the caller's own conversations in the organization, by name."""
    caller.require(Scope.READ)
    own = Conversation.objects.for_caller(caller).filter(organization_id__in=organizations_of(caller, organization_id))
    talked_with = own.filter(tip__isnull=False).values("agent")
    return list(Agent.objects.filter(pk__in=talked_with).order_by("name", "id")[:MOST_AGENTS])


def rename_conversation(caller: Caller, *, conversation_id: UUID, title: str) -> Conversation:
    title = title.strip()
    if not 1 <= len(title) <= LONGEST_TITLE:
        raise Invalid(f"Give the conversation a title of 1 to {LONGEST_TITLE} characters.", data={"field": "title"})
    return _change(caller, conversation_id, title=title)


def pin_conversation(caller: Caller, *, conversation_id: UUID, pinned: bool) -> Conversation:
    """Keep it at the top of the list, or no longer."""
    return _change(caller, conversation_id, pinned_at=timezone.now() if pinned else None)


def keep_draft(caller: Caller, *, conversation_id: UUID, draft: str) -> Conversation:
    """Keep what was typed and not sent, for when the person comes back."""
    return _change(caller, conversation_id, draft=storable(draft[:LONGEST_DRAFT]))


def sweep_empty() -> int:
    """Delete conversations in which nothing was said, nor typed, for a day after they were begun; how many."""
    # The plan: the partial index of conversations without a message.
    before = timezone.now() - timedelta(hours=EMPTY_KEPT_HOURS)
    empty = Conversation.objects.filter(tip=None, draft="", created_at__lt=before).order_by("created_at")
    # One in which something is being said just now is held by whoever says it.
    return sweep(empty)


def delete_conversation(caller: Caller, *, conversation_id: UUID) -> None:
    """Delete it with all that was said; a turn under way is stopped by that."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        conversation = find_conversation(caller, conversation_id)
        audit.record("conversation.delete", caller=caller, target=f"conversation:{conversation.pk}")
        conversation.delete()


def branch_ids(tip: UUID | None) -> list[UUID]:
    """The messages up to that one, the first one first. A conversation shows those up to its tip."""
    if tip is None:
        return []
    with connection.cursor() as cursor:
        cursor.execute(BRANCH, {"tip": tip})
        return [row[0] for row in cursor.fetchall()]


def branch_of(conversation: Conversation, ids: Sequence[UUID] | None = None) -> list[Placed]:
    """The messages shown, or those of them that are named, the first one first, each with those at the same place."""
    shown = branch_ids(conversation.tip_id) if ids is None else ids
    messages = Message.objects.in_bulk(shown)
    beside: dict[UUID | None, list[UUID]] = {}
    places = {messages[pk].before_id for pk in shown}
    at_place = Q(before__in=places - {None}) | (Q(before=None) if None in places else Q())
    siblings = conversation.messages.filter(at_place).order_by("id") if shown else Message.objects.none()
    for pk, before in siblings.values_list("pk", "before_id"):
        beside.setdefault(before, []).append(pk)
    return [Placed(messages[pk], beside[messages[pk].before_id]) for pk in shown]


def part_of_branch(conversation: Conversation, *, before: UUID | None, most: int) -> tuple[list[Placed], int]:
    """The last messages shown, or the last ones before that message; and how many of the branch come before them."""
    ids = branch_ids(conversation.tip_id)
    end = len(ids)
    if before is not None:
        if before not in ids:
            raise NotFound("The branch that is shown has no such message. Read it from its end again.")
        end = ids.index(before)
    begin = max(0, end - most)
    return branch_of(conversation, ids[begin:end]), begin


def show_branch(caller: Caller, *, conversation_id: UUID, message_id: UUID) -> Conversation:
    """Show the branch in which that message stands, down to its newest end."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        conversation = locked(caller, conversation_id)
        message_of(conversation, message_id)
        with connection.cursor() as cursor:
            cursor.execute(NEWEST_TIP, {"top": message_id})
            row = cursor.fetchone()
        conversation.tip_id = row[0]
        conversation.save(update_fields=["tip"])
    return conversation


def locked(caller: Caller, conversation_id: UUID) -> Conversation:
    """The caller's own, locked: whoever says something in it beside us waits."""
    caller.require(Scope.READ)
    rows = Conversation.objects.for_caller(caller).select_for_update(no_key=True, of=("self",))
    return _found(rows, conversation_id)


def message_of(conversation: Conversation, message_id: UUID) -> Message:
    message = conversation.messages.filter(pk=message_id).first()
    if message is None:
        raise NotFound("There is no such message in this conversation.")
    return message


def title_from(text: str) -> str:
    """The first line that says something, cut at a word."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(line) <= TITLE_FROM_TEXT:
        return line
    return f"{line[:TITLE_FROM_TEXT].rsplit(' ', 1)[0]}…"


def _found(rows: QuerySet[Conversation], conversation_id: UUID) -> Conversation:
    conversation = rows.select_related("agent", "organization").filter(pk=conversation_id).first()
    if conversation is None:
        raise NotFound("You have no such conversation. It may have been deleted.")
    return conversation


def _change(caller: Caller, conversation_id: UUID, **changes: object) -> Conversation:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        # Held, for one that is deleted meanwhile is not found, rather than written in vain.
        conversation = locked(caller, conversation_id)
        for name, value in changes.items():
            setattr(conversation, name, value)
        conversation.save(update_fields=list(changes))
    return conversation


def _titled(caller: Caller, search: str) -> QuerySet[Conversation, Any]:
    return named_like(Conversation.objects.filter(owner_id=caller.user_id), search, field="title").values("pk")


def _saying(search: str) -> QuerySet[Message]:
    query = SearchQuery(parted(search), config="simple", search_type="plain")
    return Message.objects.annotate(words=words_of_messages()).filter(conversation=OuterRef("pk"), words=query)
