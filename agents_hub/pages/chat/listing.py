"""A person's conversations: the list, and renaming, pinning and deleting one."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.services import conversations as service
from dashboard.frame import PAGE_SIZE, organization_of, page_number

# Agents offered where there is no conversation yet.
AGENTS_OFFERED = 8


class TitleForm(forms.Form):
    title = forms.CharField(label="Title", max_length=service.LONGEST_TITLE)


@require_safe
@login_required
def conversation_list(request: HttpRequest) -> HttpResponse:
    who, organization = caller(request), organization_of(request)
    search, agent = request.GET.get("search", "").strip()[:255], request.GET.get("agent", "")
    agents = service.agents_talked_with(who, organization_id=organization.uid)
    chosen = next((one for one in agents if str(one.pk) == agent), None)
    page = service.list_conversations(
        who,
        organization_id=organization.uid,
        agent_id=chosen.pk if chosen else None,
        search=search,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    is_empty = not (page.rows or search or chosen or page.number > 1)
    offered = (
        service.list_agents_to_talk_to(who, organization_id=organization.uid, page_size=AGENTS_OFFERED).rows
        if is_empty
        else []
    )
    context = {
        "page": page,
        "search": search,
        "agents": {str(one.pk): one.name for one in agents},
        "chosen": str(chosen.pk) if chosen else "",
        "offered": offered,
        "is_empty": is_empty,
        "organization": organization,
    }
    return render(request, "agents_hub/chat/conversations.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def rename(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    who = caller(request)
    conversation = service.find_conversation(who, conversation_id)
    form = TitleForm(request.POST or None, initial={"title": conversation.title})
    if request.method == "POST" and form.is_valid():
        try:
            service.rename_conversation(who, conversation_id=conversation_id, title=form.cleaned_data["title"])
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect("chat:conversation", conversation_id)
    context = {"form": form, "conversation": conversation}
    return render(request, "agents_hub/chat/rename.html", context, status=422 if form.errors else 200)


@require_POST
@login_required
def pin(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    is_pinned = request.POST.get("pinned") == "1"
    service.pin_conversation(caller(request), conversation_id=conversation_id, pinned=is_pinned)
    back = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/"):
        return redirect(back)
    return redirect("chat:conversation", conversation_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Say what will be gone. What is asked for twice is meant: a title made of a message is not to be typed again."""
    who = caller(request)
    conversation = service.find_conversation(who, conversation_id)
    if request.method == "POST":
        service.delete_conversation(who, conversation_id=conversation_id)
        messages.success(request, f"“{conversation.title or 'The conversation'}” is deleted.")
        return redirect("chat:list")
    context = {"conversation": conversation, "count": conversation.messages.count()}
    return render(request, "agents_hub/chat/delete.html", context)
