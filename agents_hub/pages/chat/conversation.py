"""The page of one conversation, and of one that has not begun."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from accounts.page_caller import caller
from accounts.services.organizations import is_admin
from agents_hub.models import Agent, Conversation
from agents_hub.pages.chat.asking import Asking
from agents_hub.pages.chat.thread import mark_of, thread_of
from agents_hub.services import conversations as service
from agents_hub.services.readiness import lacks_of
from agents_hub.services.turns import LONGEST_TEXT, turn_under_way
from dashboard import streams
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from security.identifiers import uuid_or_none


@require_safe
@login_required
def new(request: HttpRequest) -> HttpResponse:
    """An empty chat with the agent that `?agent=` names, or the agents to choose from."""
    wanted = request.GET.get("agent", "")
    if wanted:
        return empty(request, service.agent_to_talk_to(caller(request), _id(wanted)))
    search, organization = request.GET.get("search", "").strip()[:255], organization_of(request)
    page = service.list_agents_to_talk_to(
        caller(request),
        organization_id=organization.uid,
        search=search,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    context = {"page": page, "search": search, "organization": organization}
    return render(request, "agents_hub/chat/new.html", context)


def empty(request: HttpRequest, agent: Agent, *, refused: str = "", typed: str = "") -> HttpResponse:
    """A chat in which nothing was said. It becomes a conversation with the first message."""
    context = {
        "agent": agent,
        "lacks": lacks_of(caller(request), agent),
        "typed": typed,
        "refused": refused,
        "longest": LONGEST_TEXT,
    }
    return render(request, "agents_hub/chat/empty.html", context, status=422 if refused else 200)


@require_safe
@never_cache
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    return page(request, service.find_conversation(caller(request), conversation_id))


@require_safe
@never_cache
@login_required
def news(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The page where it is another one than `?seen=` says; for those who look on without a stream."""
    found = service.find_conversation(caller(request), conversation_id)
    if request.GET.get("seen") == mark_of(found, turn_under_way(found)):
        return HttpResponse(status=204)
    return page(request, found)


def page(
    request: HttpRequest,
    found: Conversation,
    *,
    refused: str = "",
    typed: str | None = None,
    edited: Mapping[UUID, str] | None = None,
    bound: Mapping[UUID, Asking] | None = None,
) -> HttpResponse:
    """`refused` says why what was sent was not done, `typed` is what was typed, `edited` what was to stand in the place
    of a message, `bound` are forms to be fixed."""
    thread = thread_of(caller(request), found, until=_until(request), bound=bound, edited=edited)
    context: dict[str, Any] = {
        "conversation": found,
        "agent": found.agent,
        "thread": thread,
        "lacks": thread.lacks,
        "is_admin": is_admin(caller(request), found.organization_id),
        "stream": thread.stream if streams.is_possible(request) else "",
        "typed": found.draft if typed is None else typed,
        # With no form to send it by, it is shown to be copied.
        "lost": "" if thread.can_edit else next(iter((edited or {}).values()), ""),
        "refused": refused,
        "longest": LONGEST_TEXT,
    }
    status = 422 if refused or bound else 200
    return render(request, "agents_hub/chat/conversation.html", context, status=status)


def _until(request: HttpRequest) -> int:
    wanted = request.GET.get("until", "")
    return int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 else 0


def _id(text: str) -> UUID:
    found = uuid_or_none(text)
    if found is None:
        raise NotFound("There is no such agent that you may talk to.")
    return found
