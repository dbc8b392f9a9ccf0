"""An organization's agents: the list, creating and deleting one."""

from collections.abc import Iterable
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.errors import DomainError
from accounts.models import User
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.models import Agent
from agents_hub.models.search import named_like
from agents_hub.services import agents as service
from agents_hub.services.shared_files import list_shared_files
from dashboard.frame import PAGE_SIZE, ConfirmForm, organization_of, page_number
from dashboard.jump import MOST_PER_SOURCE, Place
from dashboard.sorting import Direction, sorting

COLUMNS: dict[str, Direction] = {"name": "asc", "updated_at": "desc", "created_at": "desc"}


class NewAgentForm(forms.Form):
    name = forms.CharField(label="Name", max_length=255)
    description = forms.CharField(
        label="Description",
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What it is for, in a sentence.",
    )


def places(person: User, words: str) -> Iterable[Place]:
    """The agents of all organizations the person belongs to, whose names hold every word typed."""
    agents = Agent.objects.for_caller(Caller.system(person.pk)).select_related("organization")
    for word in words.split():
        agents = named_like(agents, word)
    for agent in agents.order_by("name", "id")[:MOST_PER_SOURCE]:
        yield Place(agent.name, reverse("agents:agent", args=[agent.pk]), agent.organization.name)


@require_safe
@login_required
def agent_list(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("search", "").strip()[:255]
    organization, order = organization_of(request), sorting(request, COLUMNS)
    page = service.list_agents(
        caller(request),
        organization_id=organization.uid,
        search_name=search or None,
        sort_field=order.field,
        sort_direction=order.direction,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    context = {"page": page, "sorting": order, "search": search, "organization": organization}
    return render(request, "agents_hub/agents.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    form = NewAgentForm(request.POST or None)
    organization = organization_of(request)
    if request.method == "POST" and form.is_valid():
        try:
            agent = service.create_agent(caller(request), organization_id=organization.uid, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{agent.name} is created.")
            return redirect("agents:agent", agent.pk)
    context = {"form": form, "organization": organization}
    return render(request, "agents_hub/agent_create.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Say what will be gone, and ask for the name."""
    who = caller(request)
    agent = service.find_agent(who, agent_id)
    form = ConfirmForm(request.POST or None, expected=agent.name)
    if request.method == "POST" and form.is_valid():
        service.delete_agent(who, agent_id=agent_id)
        messages.success(request, f"{agent.name} is deleted.")
        return redirect("agents:list")
    files = list_shared_files(who, agent_id=agent_id)
    context = {"form": form, "agent": agent, "files": files}
    return render(request, "agents_hub/agent_delete.html", context, status=422 if form.errors else 200)
