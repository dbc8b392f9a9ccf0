"""An agent's versions: the list, one with its graph, a new one, publishing, what was published when, deleting."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.services.agent_rules import may_change
from agents_hub.services.agents import find_agent
from dashboard.frame import PAGE_SIZE, ConfirmForm, page_number
from workflows.graph.shapes import Graph
from workflows.pages.addresses import id_in
from workflows.pages.drawing import KINDS, draw
from workflows.pages.forms import STARTER, VersionForm, as_json
from workflows.services import versions as service


@require_safe
@login_required
def version_list(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    who = caller(request)
    agent = find_agent(who, agent_id)
    context = {
        "agent": agent,
        "page": service.page_of_versions(who, agent_id=agent_id, page=page_number(request), page_size=PAGE_SIZE),
        "default": service.default_version(agent_id),
    }
    return render(request, "workflows/versions.html", context)


@require_safe
@login_required
def version_page(request: HttpRequest, agent_id: UUID, workflow_id: UUID) -> HttpResponse:
    who = caller(request)
    version = service.find_version(who, workflow_id=workflow_id, agent_id=agent_id)
    default = service.default_version(agent_id)
    graph, in_charge = version.drawn, may_change(who, version.agent)
    context = {
        "agent": version.agent,
        "version": version,
        "default": default,
        "is_default": default is not None and default.pk == version.pk,
        "is_deletable": service.is_deletable(version),
        "may_change": in_charge,
        "may_delete": in_charge or version.author_id == who.user_id,
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


@require_safe
@login_required
def publication_list(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """Which version was published when and by whom, roll backs among them."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    page = service.page_of_publications(who, agent_id=agent_id, page=page_number(request), page_size=PAGE_SIZE)
    return render(request, "workflows/publications.html", {"agent": agent, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, agent_id: UUID, workflow_id: UUID) -> HttpResponse:
    """Delete a draft that never ran, once its name was typed."""
    who = caller(request)
    version = service.find_version(who, workflow_id=workflow_id, agent_id=agent_id)
    form = ConfirmForm(request.POST or None, expected=str(version))
    if request.method == "POST" and form.is_valid():
        try:
            service.delete_version(who, agent_id=agent_id, workflow_id=workflow_id)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{version} is deleted.")
            return redirect("workflows:versions", agent_id)
    context = {"version": version, "agent": version.agent, "form": form, "is_deletable": service.is_deletable(version)}
    return render(request, "workflows/version_delete.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_version(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The editor. It begins with the version that `?from=` names, else with the default; sent, it checks or saves."""
    who = caller(request)
    agent = find_agent(who, agent_id)
    parent_id = id_in(request, "from")
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
