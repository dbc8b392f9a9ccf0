"""The executions of an organization, and one with what happened, what is asked and what can be done."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, Invalid
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.files import links
from agents_hub.services.agents import list_agents
from dashboard import streams
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from dashboard.sorting import Direction, sorting
from workflows.engine.states import Status
from workflows.models import Execution, Label
from workflows.pages import live, speaking
from workflows.pages.filters import FilterForm
from workflows.pages.timeline import MEANINGS, told
from workflows.services import executions as service
from workflows.services import listing, wishes
from workflows.services.cost import cost_of
from workflows.services.files import files_of, find_file

COLUMNS: dict[str, Direction] = {"created_at": "desc", "status": "asc"}
# Those offered in the filters; the API takes any.
MOST_CHOICES = 200
ACTIVITIES_SHOWN = 100


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
    after = _after(request, execution)
    found = listing.list_activities(who, execution=execution, limit=ACTIVITIES_SHOWN, after=after)
    last = found[-1].number if found else after
    later = last if last < execution.activity_count else None
    is_streamed = later is None and not execution.state.is_terminal and streams.is_possible(request)
    context = {
        **live.standing_of(execution, files_of(execution), cost_of(execution)),
        "form": form,
        "asks": live.asks(execution),
        "told": told(found),
        "earlier": max(0, after - ACTIVITIES_SHOWN) if after else None,
        "later": later,
        "last": last,
        "stream": reverse("workflows:execution-stream", args=[execution_id]) if is_streamed else "",
        "inputs": live.shown(execution.inputs),
        "metadata": live.shown(execution.metadata),
    }
    is_refused = request.method == "POST"
    return render(request, "workflows/execution.html", context, status=422 if is_refused else 200)


@require_safe
@login_required
def execution_file(request: HttpRequest, execution_id: UUID, file_id: UUID) -> HttpResponse:
    """Leads to the content by a link that is this person's own: the page's parts are the same for all who look on."""
    who = caller(request)
    return redirect(links.path(who, find_file(who, execution_id=execution_id, file_id=file_id)))


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


def _after(request: HttpRequest, execution: Execution) -> int:
    """The number before the first activity shown: what `?after=` says, else so that the latest are there."""
    wanted = request.GET.get("after", "")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
        return min(int(wanted), execution.activity_count)
    return max(0, execution.activity_count - ACTIVITIES_SHOWN)
