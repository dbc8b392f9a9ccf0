"""Schedules of workflows: choosing the agent, beginning one, changing one; and how the shared pages show them."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError, NotFound
from accounts.page_caller import caller
from agents_hub.models import Agent
from agents_hub.services.agents import find_agent, list_agents
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from scheduling.registry import Kind
from workflows.models import Schedule, Workflow
from workflows.pages.forms import WorkflowScheduleForm
from workflows.services import schedules as service
from workflows.services.versions import default_version

# The newest, offered in a choice.
MOST_CHOICES = 200

KIND = Kind(
    slug="workflow",
    label="Workflow",
    schedules=lambda: Schedule.objects.all(),
    runs=lambda schedule: schedule.runs.all(),
    verbs=service,
    subject="agent__name",
    new="workflows:schedule-agent",
    edit="workflows:edit-schedule",
    facts="workflows/schedule_facts.html",
    came_of="workflows/schedule_run.html",
    runs_with=("execution",),
)


@require_safe
@login_required
def choose_agent(request: HttpRequest) -> HttpResponse:
    """Which agent is to run by the clock."""
    organization, name = organization_of(request), request.GET.get("name", "").strip()[:255]
    page = list_agents(
        caller(request),
        organization_id=organization.uid,
        search_name=name or None,
        sort_field="name",
        sort_direction="asc",
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    return render(request, "workflows/schedule_agent.html", {"page": page, "name": name, "organization": organization})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_schedule(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    agent = find_agent(caller(request), agent_id)
    return _form_page(request, agent, None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_schedule(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    schedule = service.find(caller(request), schedule_id)
    return _form_page(request, schedule.agent, schedule)


def _form_page(request: HttpRequest, agent: Agent, schedule: Schedule | None) -> HttpResponse:
    """The form for the version that `?version=` names; sent, it shows the next runs or saves."""
    who, published = caller(request), _published(agent)
    chosen = _chosen(request, published, schedule)
    version = chosen or default_version(agent.pk)
    form = WorkflowScheduleForm(
        request.POST if request.method == "POST" else None,
        organization_id=agent.organization_id,
        inputs=version.needed_inputs if version else [],
        schedule=schedule,
    )
    if form.is_valid() and request.POST.get("act") == "save":
        wanted = form.wanted(chosen.pk if chosen else None)
        try:
            if schedule is None:
                schedule = service.create_schedule(who, agent_id=agent.pk, wanted=wanted)
            else:
                schedule = service.update_schedule(who, schedule.pk, wanted)
        except DomainError as error:
            form.refuse(error)
        else:
            messages.success(request, f"“{schedule.name}” is saved and runs in your name.")
            return redirect("scheduling:schedule", KIND.slug, schedule.pk)
    context = {
        "agent": agent,
        "schedule": schedule,
        "form": form,
        "published": published,
        "chosen": chosen,
        "version": version,
    }
    return render(request, "workflows/schedule_form.html", context, status=422 if form.errors else 200)


def _published(agent: Agent) -> list[Workflow]:
    versions = Workflow.objects.filter(agent=agent, version__isnull=False)
    return list(versions.only("version", "agent_id").order_by("-version")[:MOST_CHOICES])


def _chosen(request: HttpRequest, published: list[Workflow], schedule: Schedule | None) -> Workflow | None:
    """The version that the address names, else the schedule's own; none where it is the default of the day."""
    wanted = request.GET.get("version")
    if wanted is None:
        return schedule.workflow if schedule else None
    if not wanted:
        return None
    for version in published:
        if str(version.pk) == wanted:
            return version
    raise NotFound("There is no such published version of this agent.")
