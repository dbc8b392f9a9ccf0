"""What can be done with an agent's versions: list, read, create, publish, compare, delete."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.capabilities import capabilities
from agents_hub.models import Agent
from agents_hub.services.agent_rules import require_change
from agents_hub.services.agent_servers import has_enabled
from agents_hub.services.agents import find_agent, lock_to_change
from dashboard.numbered_pages import NumberedPage, numbered
from security import audit
from workflows.graph.diff import Difference, difference
from workflows.graph.faults import Fault
from workflows.graph.shapes import EnvironmentTemplate, Graph, Settings
from workflows.graph.validate import calls_remote_tools, validate
from workflows.models import Execution, Publication, Workflow
from workflows.models.versions import WorkflowQuerySet
from workflows.nodes import kinds

# What one version may weigh as JSON, in characters.
LARGEST_GRAPH = 2_000_000
# Models and programs read the message alone, and mend what it names.
MOST_FAULTS_SAID = 100
NEWEST_FIRST = ("-created_at", "-id")


def list_versions(caller: Caller, *, agent_id: UUID) -> list[Workflow]:
    """The agent's versions without their content, the newest first."""
    return list(_listed(caller, agent_id).order_by(*NEWEST_FIRST))


def page_of_versions(caller: Caller, *, agent_id: UUID, page: int, page_size: int) -> NumberedPage[Workflow]:
    """The same, a page of them, each with the one it was made from."""
    versions = _listed(caller, agent_id).select_related("parent").defer(*Workflow.content_of("parent"))
    return numbered(versions, order=NEWEST_FIRST, number=page, size=page_size)


def page_of_publications(caller: Caller, *, agent_id: UUID, page: int, page_size: int) -> NumberedPage[Publication]:
    """When which version became the default and by whom, the latest first; `is_rollback` says of each whether the
    version had been published before."""
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    before = Publication.objects.filter(workflow=OuterRef("workflow"), pk__lt=OuterRef("pk"))
    found = Publication.objects.filter(agent=agent).select_related("workflow", "published_by")
    found = found.defer(*Workflow.content_of("workflow")).annotate(is_rollback=Exists(before))
    return numbered(found, order=["-id"], number=page, size=page_size)


def find_version(
    caller: Caller, *, workflow_id: UUID, agent_id: UUID | None = None, with_content: bool = True
) -> Workflow:
    """The version with its agent and author; `NotFound` for another organization's, and for another agent's."""
    caller.require(Scope.READ)
    versions = Workflow.objects.for_caller(caller).select_related("agent__organization", "author")
    if not with_content:
        versions = versions.without_content()
    if agent_id is not None:
        versions = versions.filter(agent_id=agent_id)
    version = versions.filter(pk=workflow_id).first()
    if version is None:
        raise NotFound("There is no such workflow of this agent. workflowsList lists them.")
    return version


def create_version(
    caller: Caller,
    *,
    agent_id: UUID,
    graph: Graph,
    settings: Settings,
    rules: str = "",
    environment_template: EnvironmentTemplate | None = None,
    parent_id: UUID | None = None,
) -> Workflow:
    """A new draft, by any member: only publishing it changes what the agent does for others.

    Its graph may have faults: publishing and running ask for one without.
    """
    caller.require(Scope.WRITE)
    content = graph.model_dump_json(by_alias=True)
    if len(content) > LARGEST_GRAPH:
        raise Invalid(
            f"The graph has {len(content):,} characters; at most {LARGEST_GRAPH:,} are kept. Shorten its scripts.",
            code="too_large",
            data={"field": "graph"},
        )
    with transaction.atomic():
        agent = find_agent(caller, agent_id)
        parent = _parent(agent, parent_id)
        version = Workflow.objects.create(
            agent=agent,
            parent=parent,
            rules=rules,
            settings=settings.model_dump(exclude_none=True),
            graph=graph.model_dump(by_alias=True, exclude_none=True),
            environment_template=environment_template.model_dump() if environment_template else None,
            author_id=caller.user_id,
        )
        audit.record(
            "workflow.create",
            caller=caller,
            target=f"workflow:{version.pk}",
            detail={"agent": str(agent.pk), "parent": str(parent.pk) if parent else None},
        )
    return version


def publish_version(caller: Caller, *, agent_id: UUID, workflow_id: UUID) -> Workflow:
    """Make it the default of new runs. The first time numbers it; an older one published again is a rollback."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        # Whoever publishes beside us waits here, so that numbers follow each other and the newest is in force.
        lock_to_change(caller, agent_id)
        version = find_version(caller, workflow_id=workflow_id, agent_id=agent_id)
        refuse_faults(version)
        before = default_version(version.agent_id)
        if before is not None and before.pk == version.pk:
            return version
        if version.version is None:
            highest = Workflow.objects.filter(agent_id=version.agent_id).aggregate(Max("version"))["version__max"]
            version.version = (highest or 0) + 1
            version.save(update_fields=["version"])
        Publication.objects.create(workflow=version, agent_id=version.agent_id, published_by_id=caller.user_id)
        audit.record(
            "workflow.publish",
            caller=caller,
            target=f"workflow:{version.pk}",
            detail={"version": version.version, "before": before.version if before else None},
        )
    return version


def delete_version(caller: Caller, *, agent_id: UUID, workflow_id: UUID) -> None:
    """Delete a draft that never ran: one's own, or as somebody who may change the agent.

    What was published or has run stays, for runs and rollbacks refer to it.
    """
    caller.require(Scope.WRITE)
    with transaction.atomic():
        find_agent(caller, agent_id)
        agent = Agent.objects.select_for_update(no_key=True).get(pk=agent_id)
        version = find_version(caller, workflow_id=workflow_id, agent_id=agent_id)
        if version.author_id != caller.user_id:
            require_change(caller, agent)
        if not is_deletable(version):
            raise Conflict(
                "A version that was published or has run cannot be deleted: executions and rollbacks refer to it.",
                code="in_use",
            )
        audit.record("workflow.delete", caller=caller, target=f"workflow:{version.pk}")
        version.delete()


def default_version(agent_id: UUID) -> Workflow | None:
    """The version that new runs of the agent take; none while nothing is published."""
    newest = Publication.objects.filter(agent_id=agent_id).select_related("workflow").order_by("-id").first()
    return newest.workflow if newest else None


def compare(caller: Caller, *, agent_id: UUID, before_id: UUID, after_id: UUID) -> Difference:
    """What was done to one version of the agent to make the other."""
    before = find_version(caller, workflow_id=before_id, agent_id=agent_id)
    after = find_version(caller, workflow_id=after_id, agent_id=agent_id)
    return difference(before.content, after.content)


def ends_of(
    caller: Caller, *, after_id: UUID, before_id: UUID | None = None, agent_id: UUID | None = None
) -> tuple[Workflow, Workflow]:
    """The two versions to compare, without their content: one, and another of the same agent that it is compared
    with."""
    after = find_version(caller, workflow_id=after_id, agent_id=agent_id, with_content=False)
    if before_id is not None:
        return find_version(caller, workflow_id=before_id, agent_id=after.agent_id, with_content=False), after
    before = compared_with(after)
    if before is None:
        raise NotFound("It is the agent's first version, and made from none. Name the one to compare it with.")
    return before, after


def compared_with(version: Workflow) -> Workflow | None:
    """What a version is compared with where nobody says: the one it was made from, else the one before it."""
    siblings = Workflow.objects.filter(agent_id=version.agent_id).without_content()
    if version.parent_id:
        return siblings.filter(pk=version.parent_id).first()
    # A version's id is made with it, and so tells which of two of one moment came first.
    at = (version.created_at, version.pk)
    older = siblings.filter(Q(created_at__lt=at[0]) | Q(created_at=at[0], pk__lt=at[1]))
    return older.order_by(*NEWEST_FIRST).first()


def _listed(caller: Caller, agent_id: UUID) -> "WorkflowQuerySet":
    caller.require(Scope.READ)
    agent = find_agent(caller, agent_id)
    return Workflow.objects.filter(agent=agent).without_content().with_runs().select_related("author")


def refuse_drafts_for_others(caller: Caller, workflow: Workflow, *, runner_id: int | None) -> None:
    """Raise `Forbidden` where a draft would run in the name of somebody else, with their connections, unless the caller
    may change the agent: what was published was looked at by those in charge, a draft by nobody."""
    if workflow.version is None and runner_id != caller.user_id:
        require_change(caller, workflow.agent)


def is_deletable(version: Workflow) -> bool:
    """Whether nothing refers to it: it was never published and never ran, and no execution is about to go on by it."""
    if version.version is not None:
        return False
    is_used: bool | None = getattr(version, "ran", None)  # of a list, asked with it
    if is_used is None:
        is_used = version.executions.exists() or Execution.objects.filter(sync_to=version).exists()
    return not is_used


def faults_of(graph: Graph, *, agent_id: UUID | None = None) -> list[Fault]:
    """What keeps the graph from being published and run on this installation, and by the agent where one is named."""
    has_servers = agent_id is None or not any(map(calls_remote_tools, graph.nodes)) or has_enabled(agent_id)
    return validate(graph, capabilities={capability.name for capability in capabilities}, has_servers=has_servers)


def cautions_of(graph: Graph) -> list[str]:
    """What keeps a run of the graph from coming to its end here although it may be published: it may run elsewhere."""
    left = [node for node in graph.nodes if kinds.find(node.type) is None]
    return [
        f"A run that comes to “{node.name}” fails: this installation does not carry out nodes of type {node.type} yet."
        for node in left
    ]


def refuse_faults(version: Workflow) -> None:
    """Raise `Invalid` with all faults in its data, and in its message unless there are very many."""
    faults = faults_of(version.drawn, agent_id=version.agent_id)
    if not faults:
        return
    said = " ".join(fault.message for fault in faults[:MOST_FAULTS_SAID])
    more = f" And {len(faults) - MOST_FAULTS_SAID} more." if len(faults) > MOST_FAULTS_SAID else ""
    raise Invalid(
        f"The graph cannot run yet. {said}{more} Fix it in a new version with this one as its parent.",
        code="invalid_graph",
        data={"faults": [_as_data(fault) for fault in faults]},
    )


def _parent(agent: Agent, parent_id: UUID | None) -> Workflow | None:
    if parent_id is None:
        return None
    parent = Workflow.objects.without_content().filter(agent=agent, pk=parent_id).first()
    if parent is None:
        raise NotFound("parentId names no workflow of this agent. workflowsList lists them.")
    return parent


def _as_data(fault: Fault) -> dict[str, Any]:
    """The fault as errors carry it: its code and message, and the part and path where there are any."""
    parts = {"nodeId": fault.node_id, "transitionId": fault.transition_id, "path": fault.path}
    return {"code": fault.code.value, "message": fault.message, **{name: at for name, at in parts.items() if at}}
