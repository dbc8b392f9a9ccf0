"""The executions of an organization, and one with what happened, what is asked and what can be done."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.errors import DomainError, NotFound
from accounts.models import Organization
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from accounts.services.organizations import is_admin
from agents_hub.files import links
from agents_hub.models import Agent
from agents_hub.services.agents import find_agent, list_agents
from dashboard import streams
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from dashboard.sorting import Direction, sorting
from workflows.models import Execution
from workflows.pages import live, speaking
from workflows.pages.filters import FilterForm
from workflows.pages.marks import CommentForm
from workflows.pages.timeline import MEANINGS, told
from workflows.services import executions as service
from workflows.services import listing, looking, marks, wishes
from workflows.services.files import find_file

COLUMNS: dict[str, Direction] = {"created_at": "desc", "status": "asc"}
# Those offered in the filters; the API takes any.
MOST_CHOICES = 200
ACTIVITIES_SHOWN = 100


@require_safe
@login_required
def execution_list(request: HttpRequest) -> HttpResponse:
    who, organization, order = caller(request), organization_of(request), sorting(request, COLUMNS)
    form = FilterForm(
        request.GET,
        agents=_agents_to_choose(who, organization, request.GET.get("agent_id", "")),
        labels=marks.list_labels(who, organization_id=organization.uid),
    )
    page = None
    if form.is_valid():
        try:
            page = listing.list_executions(
                who,
                form.filters(organization),
                sort_field="status" if order.field == "status" else "created_at",
                sort_direction=order.direction,
                page=page_number(request),
                page_size=PAGE_SIZE,
            )
        except DomainError as error:
            show_refusal(form, error)
    context = {"page": page, "form": form, "sorting": order, "organization": organization, "meanings": MEANINGS}
    return render(request, "workflows/executions.html", context, status=422 if page is None else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def execution_page(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """The execution; what is sent to this address is said to it."""
    who = caller(request)
    execution = service.find_execution(who, execution_id)
    form = speaking.form_for(execution, request.POST or None)
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            said = wishes.add_message(who, execution_id=execution_id, text=form.text())
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, said)
            return redirect("workflows:execution", execution_id)
    after = _after(request, execution)
    found = listing.list_activities(who, execution_id=execution_id, limit=ACTIVITIES_SHOWN, after=after)
    last = found[-1].number if found else after
    later = last if last < execution.activity_count else None
    is_streamed = later is None and not execution.state.is_terminal and streams.is_possible(request)
    context = {
        **live.standing_of(execution, looking.standing(execution)),
        "form": form,
        "asks": live.asks(execution),
        "told": told(found),
        "earlier": max(0, after - ACTIVITIES_SHOWN) if after else None,
        "later": later,
        "last": last,
        "stream": reverse("workflows:execution-stream", args=[execution_id]) if is_streamed else "",
        "inputs": live.shown(execution.inputs),
        "metadata": live.shown(execution.metadata),
        # Another form stands on the page, with fields of its own.
        "comment_form": CommentForm(auto_id="comment_%s"),
        "is_admin": is_admin(who, execution.organization_id),
    }
    is_refused = request.method == "POST"
    return render(request, "workflows/execution.html", context, status=422 if is_refused else 200)


@require_safe
@login_required
def execution_variables(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """All variables whole, as a file: the page shows them as far as people read them there."""
    execution = service.find_execution(caller(request), execution_id)
    answer = JsonResponse(execution.variables, json_dumps_params={"ensure_ascii": False, "indent": 2})
    answer["Content-Disposition"] = f'attachment; filename="variables-{execution_id}.json"'
    return answer


@require_safe
@login_required
def execution_file(request: HttpRequest, execution_id: UUID, file_id: UUID) -> HttpResponse:
    """Leads to the content by a link that is this person's own: the page's parts are the same for all who look on."""
    who = caller(request)
    return redirect(links.path(who, find_file(who, execution_id=execution_id, file_id=file_id)))


def _after(request: HttpRequest, execution: Execution) -> int:
    """The number before the first activity shown: what `?after=` says, else so that the latest are there."""
    wanted = request.GET.get("after", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        return min(int(wanted), execution.activity_count)
    return max(0, execution.activity_count - ACTIVITIES_SHOWN)


def _agents_to_choose(who: Caller, organization: Organization, asked: str) -> list[Agent]:
    """The organization's agents by name; of very many the first, and the one that the address names."""
    offered = list_agents(
        who, organization_id=organization.uid, sort_field="name", sort_direction="asc", page_size=MOST_CHOICES
    ).rows
    if asked in {str(agent.pk) for agent in offered}:
        return offered
    try:
        agent = find_agent(who, UUID(asked))
    except (ValueError, NotFound):
        return offered
    return [*offered, *([agent] if agent.organization_id == organization.pk else [])]
