"""Scheduled tasks: choosing the agent, beginning one, changing one; and how the shared pages show them."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError, Forbidden
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.models import Agent, ScheduledTask
from agents_hub.services import conversations
from agents_hub.services import scheduled_tasks as service
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from scheduling.forms import ScheduleForm
from scheduling.registry import Kind

KIND = Kind(
    slug="task",
    label="Task",
    schedules=lambda: ScheduledTask.objects.all(),
    runs=lambda task: task.runs.all(),
    verbs=service,
    subject="agent__name",
    new="agents:task-agent",
    edit="agents:edit-task",
    facts="agents_hub/task_facts.html",
    came_of="agents_hub/task_run.html",
    runs_with=("conversation", "turn"),
    may=service.offered,
)


class TaskForm(ScheduleForm):
    prompt = forms.CharField(
        label="What to ask",
        max_length=service.LONGEST_PROMPT,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="The agent answers in a new conversation each time, and nobody is there to ask: say all it needs.",
    )

    @property
    def wanted(self) -> service.Wanted:
        """As the service takes it; for a form that is valid."""
        return service.Wanted(
            name=self.cleaned_data["name"],
            cron_expression=self.cron.expression,
            time_zone=self.cron.time_zone,
            prompt=self.cleaned_data["prompt"],
            overlap=self.cleaned_data["overlap"],
        )


@require_safe
@login_required
def choose_agent(request: HttpRequest) -> HttpResponse:
    """Which agent is to be asked."""
    organization, name = organization_of(request), request.GET.get("name", "").strip()[:255]
    page = conversations.list_agents_to_talk_to(
        caller(request), organization_id=organization.uid, search=name, page=page_number(request), page_size=PAGE_SIZE
    )
    return render(request, "agents_hub/task_agent.html", {"page": page, "name": name, "organization": organization})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_task(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    return _form_page(request, conversations.agent_to_talk_to(caller(request), agent_id), None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit_task(request: HttpRequest, schedule_id: UUID) -> HttpResponse:
    who = caller(request)
    task = service.find(who, schedule_id)
    if not service.is_makers(who, task):
        raise Forbidden("A scheduled task is its maker's own: nobody else reads what it asks, or changes it.")
    return _form_page(request, task.agent, task)


def _form_page(request: HttpRequest, agent: Agent, task: ScheduledTask | None) -> HttpResponse:
    """The form; sent, it shows the next runs or saves."""
    who = caller(request)
    form = TaskForm(request.POST if request.method == "POST" else None, initial={"prompt": task.prompt} if task else {})
    form.begin_with(task)
    if form.is_valid() and request.POST.get("act") == "save":
        try:
            if task is None:
                task = service.create_task(who, agent_id=agent.pk, wanted=form.wanted)
            else:
                task = service.update_task(who, task.pk, form.wanted)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"“{task.name}” is saved. Each run is a conversation of yours.")
            return redirect("scheduling:schedule", KIND.slug, task.pk)
    context = {"agent": agent, "task": task, "form": form}
    return render(request, "agents_hub/task_form.html", context, status=422 if form.errors else 200)
