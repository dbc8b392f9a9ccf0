"""The executions of an organization, and one with what happened, what is asked and what can be done."""

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, Invalid
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.files import links
from agents_hub.services.agents import list_agents
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from dashboard.sorting import Direction, sorting
from workflows.engine import moves
from workflows.engine.states import Status
from workflows.models import Execution, Label
from workflows.pages import speaking
from workflows.pages.drawing import draw
from workflows.pages.filters import FilterForm
from workflows.pages.timeline import MEANINGS, told
from workflows.services import executions as service
from workflows.services import listing, wishes
from workflows.services.cost import cost_of
from workflows.services.files import list_files

COLUMNS: dict[str, Direction] = {"created_at": "desc", "status": "asc"}
# Those offered in the filters; the API takes any.
MOST_CHOICES = 200
ACTIVITIES_SHOWN = 100
FILES_SHOWN = 50

# What people are offered in each status, by the status they ask for. The service decides what is allowed.
OFFERED: dict[Status, dict[Status, str]] = {
    Status.STARTING: {Status.CANCELLED: "Cancel"},
    Status.RUNNING: {Status.PAUSED: "Pause", Status.CANCELLED: "Cancel"},
    Status.PAUSED: {Status.RUNNING: "Resume", Status.CANCELLED: "Cancel"},
    Status.PAUSED_BY_AGENT: {Status.RUNNING: "Go on without an answer", Status.CANCELLED: "Cancel"},
    Status.AWAITING_CONFIRMATION: {Status.RUNNING: "Confirm", Status.CANCELLED: "Refuse"},
}


@require_safe
@login_required
def execution_list(request: HttpRequest) -> HttpResponse:
    who, organization, order = caller(request), organization_of(request), sorting(request, COLUMNS)
    agents = list_agents(who, organization_id=organization.uid, page_size=MOST_CHOICES).rows
    labels = Label.objects.filter(organization=organization).order_by("name")[:MOST_CHOICES]
    form = FilterForm(request.GET, agents=agents, labels=labels)
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
    after, files = _after(request, execution), list_files(who, execution_id=execution_id)
    found = listing.list_activities(who, execution=execution, limit=ACTIVITIES_SHOWN, after=after)
    context = {
        "execution": execution,
        "status": execution.state,
        "meaning": MEANINGS[execution.state],
        "form": form,
        "offered": _offered(execution),
        "files": [(file, links.path(who, file)) for file in files[:FILES_SHOWN]],
        "more_files": max(0, len(files) - FILES_SHOWN),
        "cost": cost_of(who, execution),
        "drawing": draw(execution.workflow.drawn, _stands_at(execution)),
        "told": told(found),
        "earlier": max(0, after - ACTIVITIES_SHOWN) if after else None,
        "later": found[-1].number if found and found[-1].number < execution.activity_count else None,
        "inputs": _shown(execution.inputs),
        "variables": _shown(execution.variables),
        "result": _shown(execution.result),
        "metadata": _shown(execution.metadata),
    }
    is_refused = request.method == "POST"
    return render(request, "workflows/execution.html", context, status=422 if is_refused else 200)


@require_POST
@login_required
def ask_status(request: HttpRequest, execution_id: UUID) -> HttpResponse:
    """Pause, resume, confirm, refuse or cancel."""
    wanted = request.POST.get("status", "")
    if wanted not in Status.values:
        raise Invalid("Choose what the execution is to do.")
    said = wishes.ask_status(caller(request), execution_id=execution_id, status=Status(wanted))
    messages.success(request, said)
    return redirect("workflows:execution", execution_id)


def _offered(execution: Execution) -> dict[Status, str]:
    if execution.state == Status.RUNNING and execution.wanted == Status.PAUSED:
        return {Status.RUNNING: "Do not pause", Status.CANCELLED: "Cancel"}
    if execution.wanted == Status.CANCELLED:
        return {}
    return OFFERED.get(execution.state, {})


def _stands_at(execution: Execution) -> str:
    """The id of the node that it is at; none once it has ended."""
    if execution.state.is_terminal:
        return ""
    return execution.node_id or moves.start_of(execution.workflow.drawn).id


def _after(request: HttpRequest, execution: Execution) -> int:
    """The number before the first activity shown: what `?after=` says, else so that the latest are there."""
    wanted = request.GET.get("after", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        return min(int(wanted), execution.activity_count)
    return max(0, execution.activity_count - ACTIVITIES_SHOWN)


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) if value not in (None, {}) else ""
