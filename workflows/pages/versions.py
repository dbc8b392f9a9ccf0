"""An agent's versions: the list, one with its graph, a new one, publishing, running, and what differs between two."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError, NotFound
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.models import Profile
from agents_hub.services.agents import find_agent
from dashboard.frame import PAGE_SIZE, page_number
from mcp_gateway.numbered_pages import NumberedPage
from workflows.graph.shapes import Graph
from workflows.models import Workflow
from workflows.pages.drawing import KINDS, draw
from workflows.pages.forms import STARTER, RunForm, VersionForm, as_json
from workflows.services import executions
from workflows.services import versions as service

# Those offered in a choice; the API takes any.
MOST_CHOICES = 200


@require_safe
@login_required
def version_list(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    who = caller(request)
    agent, found = find_agent(who, agent_id), service.list_versions(who, agent_id=agent_id)
    number = page_number(request)
    rows = found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    context = {
        "agent": agent,
        "page": NumberedPage(rows, number, PAGE_SIZE, len(found)),
        "default": service.default_version(agent_id),
    }
    return render(request, "workflows/versions.html", context)


@require_safe
@login_required
def version_page(request: HttpRequest, agent_id: UUID, workflow_id: UUID) -> HttpResponse:
    version = service.find_version(caller(request), workflow_id=workflow_id, agent_id=agent_id)
    default = service.default_version(agent_id)
    graph = version.drawn
    context = {
        "agent": version.agent,
        "version": version,
        "default": default,
        "is_default": default is not None and default.pk == version.pk,
        "faults": service.faults_of(graph, agent_id=agent_id),
        "cautions": service.cautions_of(graph),
        "drawing": draw(graph),
        "ways": _ways(graph),
        "settings": as_json(version.settings),
        "graph": as_json(version.graph),
    }
    return render(request, "workflows/version.html", context)


@require_POST
@login_required
def publish(request: HttpRequest, agent_id: UUID, workflow_id: UUID) -> HttpResponse:
    version = service.publish_version(caller(request), agent_id=agent_id, workflow_id=workflow_id)
    messages.success(request, f"{version} is what new runs use.")
    return redirect("workflows:version", agent_id, workflow_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_version(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The editor. It begins with the version that `?from=` names, else with the default; sent, it checks or saves."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    parent_id = _named(request, "from")
    parent = service.find_version(who, workflow_id=parent_id, agent_id=agent_id) if parent_id else None
    parent = parent or service.default_version(agent_id)
    form = VersionForm(request.POST) if request.method == "POST" else VersionForm.like(parent)
    checked: Graph | None = None
    if not form.is_bound:
        checked = parent.drawn if parent else Graph.model_validate(STARTER)
    elif form.is_valid():
        checked = form.cleaned_data["graph"]
        if request.POST.get("act") == "save":
            try:
                made = service.create_version(
                    who, agent_id=agent_id, parent_id=parent.pk if parent else None, **form.cleaned_data
                )
            except DomainError as error:
                show_refusal(form, error)
            else:
                messages.success(request, "The draft is saved. New runs do not use it until it is published.")
                return redirect("workflows:version", agent_id, made.pk)
    context = {
        "agent": agent,
        "parent": parent,
        "form": form,
        "checked": checked,
        "faults": service.faults_of(checked, agent_id=agent_id) if checked else [],
        "cautions": service.cautions_of(checked) if checked else [],
        "drawing": draw(checked) if checked else None,
    }
    return render(request, "workflows/new_version.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def run(request: HttpRequest, agent_id: UUID, workflow_id: UUID) -> HttpResponse:
    """Start a run; `?again=` names one whose inputs it begins with and which it is a rerun of."""
    who = caller(request)
    version = service.find_version(who, workflow_id=workflow_id, agent_id=agent_id)
    again = _named(request, "again")
    before = executions.find_execution(who, again) if again else None
    profiles = Profile.objects.filter(organization=version.agent.organization).order_by("name")[:MOST_CHOICES]
    form = RunForm(
        request.POST if request.method == "POST" else None,
        inputs=version.needed_inputs,
        profiles=profiles,
        before=before.inputs if before else {},
        profile_id=before.profile_id if before else None,
        storage_key=before.storage_key if before else "",
    )
    if form.is_valid():
        try:
            execution = executions.execute_workflow(
                who,
                agent_id=agent_id,
                workflow_id=workflow_id,
                inputs=form.values(),
                metadata=before.metadata if before else {},
                profile_id=form.cleaned_data["profile_id"],
                options=form.options(),
                parent_id=before.pk if before else None,
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect("workflows:execution", execution.pk)
    context = {
        "agent": version.agent,
        "version": version,
        "before": before,
        "form": form,
        "faults": service.faults_of(version.drawn, agent_id=agent_id),
    }
    return render(request, "workflows/run.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def compare(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """What was done to one version to make another: to the newest's parent, unless the address names two."""
    who = caller(request)
    agent, found = find_agent(who, agent_id), service.list_versions(who, agent_id=agent_id)
    before, after = _two(request, found)
    context = {"agent": agent, "versions": found[:MOST_CHOICES], "before": before, "after": after}
    if before is not None and after is not None:
        context["difference"] = service.compare(who, agent_id=agent_id, before_id=before.pk, after_id=after.pk)
    return render(request, "workflows/compare.html", context)


def _two(request: HttpRequest, found: list[Workflow]) -> tuple[Workflow | None, Workflow | None]:
    by_id = {version.pk: version for version in found}
    ends = []
    for name in ("before", "after"):
        wanted = _named(request, name)
        if wanted is not None and wanted not in by_id:
            raise NotFound("There is no such version of this agent.")
        ends.append(by_id[wanted] if wanted else None)
    before, after = ends
    after = after or (found[0] if found else None)
    if before is None and after is not None:
        older = found[found.index(after) + 1 :]
        parent = by_id.get(after.parent_id) if after.parent_id else None
        before = parent or (older[0] if older else None)
    return before, after


def _ways(graph: Graph) -> list[dict[str, object]]:
    """The graph in words, for whoever does not see the picture."""
    names = {node.id: node.name for node in graph.nodes}
    return [
        {
            "node": node,
            "kind": KINDS[node.type],
            "leads_to": [
                {"name": names.get(way.target, way.target), "way": way}
                for way in graph.transitions
                if way.source == node.id
            ],
        }
        for node in graph.nodes
    ]


def _named(request: HttpRequest, name: str) -> UUID | None:
    """The id in the address; one that is none is not found."""
    wanted = request.GET.get(name)
    if not wanted:
        return None
    try:
        return UUID(wanted)
    except ValueError:
        raise NotFound("There is nothing of that id.") from None
