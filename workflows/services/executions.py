"""What can be done with executions: start one, find one, write what happened to one that no worker has in hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts.caller import Caller, Door
from accounts.errors import Conflict, Invalid, NotFound, Throttled
from accounts.scopes import Scope
from agents_hub.models import Profile, ProfilePool
from agents_hub.services import pools
from agents_hub.services.agents import find_agent
from dashboard.streams.notices import notify
from security import audit
from security.identifiers import uuid7, uuid_named
from workflows.engine.activities import Line
from workflows.engine.states import ACTIVE, LIVE
from workflows.engine.store import CHANNEL
from workflows.models import Activity, Execution, Trigger, Workflow
from workflows.services.attaching import attach_again, attach_staged
from workflows.services.listing import with_relations
from workflows.services.versions import default_version, find_version, refuse_faults

NOT_FOUND = "There is no such execution in your organizations. executionsList lists them."
# Until a start may be tried again that was refused because too many wait.
RETRY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ScheduledBy:
    """The schedule that starts a run, as the run remembers it."""

    schedule_id: UUID
    cron_expression: str


def find_execution(caller: Caller, execution_id: UUID) -> Execution:
    """The execution with what its shape shows; `NotFound` for another organization's."""
    caller.require(Scope.READ)
    executions = with_relations(Execution.objects.for_caller(caller))
    execution = executions.filter(pk=execution_id).first()
    if execution is None:
        raise NotFound(NOT_FOUND)
    return execution


def require_execution(caller: Caller, execution_id: UUID) -> None:
    """Raises `NotFound` unless the execution is one that the caller may see."""
    caller.require(Scope.READ)
    if not Execution.objects.for_caller(caller).filter(pk=execution_id).exists():
        raise NotFound(NOT_FOUND)


def lock_execution(caller: Caller, execution_id: UUID) -> Execution:
    """The execution's bare row, held until the transaction ends."""
    caller.require(Scope.READ)
    # Its row alone, and not the membership by which it is found.
    rows = Execution.objects.for_caller(caller).select_for_update(of=("self",), no_key=True)
    execution = rows.filter(pk=execution_id).first()
    if execution is None:
        raise NotFound(NOT_FOUND)
    return execution


def execute_agent(
    caller: Caller, *, agent_id: UUID, version: int | None = None, inputs: Mapping[str, Any], **options: Any
) -> Execution:
    """Run the agent's published default, or the published version of that number."""
    caller.require(Scope.WRITE)
    agent = find_agent(caller, agent_id)
    if version is None:
        workflow = default_version(agent.pk)
        if workflow is None:
            raise Conflict(
                f"“{agent.name}” has no published workflow. Publish one with workflowPublish, or run a draft with "
                "workflowExecute.",
                code="not_published",
            )
    else:
        found = Workflow.objects.filter(agent=agent, version=version).first()
        if found is None:
            raise NotFound(f"“{agent.name}” has no published version {version}. workflowsList lists them.")
        workflow = found
    return start(caller, workflow=workflow, inputs=inputs, **options)


def execute_once(caller: Caller, *, key: str, agent_id: UUID, inputs: Mapping[str, Any], **options: Any) -> Execution:
    """The execution that the caller's key names: the first call with it starts one, each other finds that one."""
    caller.require(Scope.WRITE)
    id_ = uuid_named(f"execution of {agent_id} for {caller.user_id}: {key}")
    if (there := Execution.objects.for_caller(caller).filter(pk=id_).first()) is not None:
        return there
    try:
        return execute_agent(caller, agent_id=agent_id, inputs=inputs, id_=id_, **options)
    except IntegrityError:
        # Somebody who calls beside us was first: the database waited for their commit.
        there = Execution.objects.for_caller(caller).filter(pk=id_).first()
        if there is None:
            raise
        return there


def execute_workflow(
    caller: Caller, *, agent_id: UUID, workflow_id: UUID, inputs: Mapping[str, Any], **options: Any
) -> Execution:
    """Run any version, published or not."""
    caller.require(Scope.WRITE)
    workflow = find_version(caller, workflow_id=workflow_id, agent_id=agent_id)
    return start(caller, workflow=workflow, inputs=inputs, **options)


def start(
    caller: Caller,
    *,
    workflow: Workflow,
    inputs: Mapping[str, Any],
    metadata: Mapping[str, str] | None = None,
    profile_id: UUID | None = None,
    pool_id: UUID | None = None,
    options: Mapping[str, Any] | None = None,
    parent_id: UUID | None = None,
    temp_files: Sequence[tuple[UUID, str]] = (),
    with_parents_files: bool = False,
    trigger: Trigger | None = None,
    scheduled_by: ScheduledBy | None = None,
    id_: UUID | None = None,
) -> Execution:
    """A new execution of the version, waiting for its place. Its graph has no faults and no input is missing."""
    refuse_what_cannot_start(workflow, inputs, options or {})
    with transaction.atomic():
        organization_id = workflow.agent.organization_id
        _refuse_crowd(organization_id)
        profile, pool = _profile(organization_id, profile_id, pool_id)
        parent = _parent(caller, workflow, parent_id)
        execution = Execution.objects.create(
            id=id_ or uuid7(),
            organization_id=organization_id,
            agent_id=workflow.agent_id,
            workflow=workflow,
            inputs=dict(inputs),
            metadata=dict(metadata or {}),
            options=dict(options or {}),
            profile=profile,
            pool=pool,
            parent=parent,
            trigger=trigger or _trigger(caller, scheduled_by),
            schedule_id=scheduled_by.schedule_id if scheduled_by else None,
            cron_expression=scheduled_by.cron_expression if scheduled_by else "",
            runner_id=caller.user_id,
            api_key_id=caller.api_key_id,
        )
        lines = attach_again(execution, parent) if parent is not None and with_parents_files else []
        lines += attach_staged(caller, execution, temp_files)
        if lines:
            write_lines(execution, lines)
            execution.save(update_fields=["activity_count"])
        audit.record(
            "execution.start",
            caller=caller,
            target=f"execution:{execution.pk}",
            detail={"workflow": str(workflow.pk), "agent": str(workflow.agent_id)},
        )
        let_in_after_commit()
    return execution


def refuse_what_cannot_start(workflow: Workflow, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Raise `Invalid` with what keeps the version from being run with these."""
    refuse_faults(workflow)
    _refuse_missing(workflow, inputs)
    _refuse_timeout(workflow, options)


def write_lines(execution: Execution, lines: Sequence[Line]) -> None:
    """Append activities to an execution whose row the caller holds, and tell those who look on. Saves them alone: the
    row with its new `activity_count` is the caller's to save."""
    Activity.objects.bulk_create(
        Activity(
            execution=execution,
            number=execution.activity_count + place,
            type=line.type,
            payload=line.payload,
            display=line.display,
        )
        for place, line in enumerate(lines, 1)
    )
    execution.activity_count += len(lines)
    notify(CHANNEL, str(execution.pk))


def let_in_after_commit() -> None:
    """Once what happened is certain, give free places away. Lost, the sweep does it within seconds."""
    from workflows.tasks import nudge

    transaction.on_commit(nudge)


def _trigger(caller: Caller, scheduled_by: ScheduledBy | None) -> Trigger:
    if scheduled_by is not None:
        return Trigger.SCHEDULE
    return Trigger.UI if caller.door == Door.PAGE else Trigger.API


def missing_inputs(workflow: Workflow, values: Mapping[str, Any]) -> list[str]:
    """What the version asks for and the values do not have."""
    return [name for name in workflow.needed_inputs if name not in values]


def _refuse_missing(workflow: Workflow, inputs: Mapping[str, Any]) -> None:
    if missing := missing_inputs(workflow, inputs):
        raise Invalid(
            f"The workflow asks for {', '.join(missing)}. Give each in the inputs.",
            code="missing_input",
            data={"missing": missing},
        )


def _refuse_crowd(organization_id: int) -> None:
    """Raise `Throttled` where as many of the organization's executions wait for their places as may."""
    most: int = settings.WORKFLOW_MOST_WAITING
    if not most:
        return
    waiting = Execution.objects.filter(organization_id=organization_id, status__in=ACTIVE, admitted_at=None)
    # The last one that may wait, by execution_to_admit.
    if waiting.order_by("organization_id", "agent_id", "created_at", "id").values_list("pk")[most - 1 : most]:
        raise Throttled(
            f"{most:,} executions of the organization are waiting to run already. Cancel some, or start more when "
            "fewer are waiting.",
            code="too_many_waiting",
            data={"retry_after": RETRY_SECONDS},
        )


def _refuse_timeout(workflow: Workflow, options: Mapping[str, Any]) -> None:
    soft, most = options.get("softTimeoutMins"), workflow.settings["max_timeout_mins"]
    if soft is not None and not 1 <= soft < most:
        raise Invalid(
            f"softTimeoutMins is {soft}; give at least 1 and less than the workflow's max_timeout_mins, {most}.",
            data={"field": "executionOptions.softTimeoutMins"},
        )


def named_profile(
    organization_id: int, profile_id: UUID | None, pool_id: UUID | None
) -> tuple[Profile | None, ProfilePool | None]:
    """The profile or the pool named, of which there is at most one."""
    if profile_id is not None and pool_id is not None:
        raise Invalid("Give agentProfileId or agentProfilePoolId, not both.", data={"field": "agentProfilePoolId"})
    profile = Profile.objects.filter(organization_id=organization_id, pk=profile_id).first() if profile_id else None
    if profile_id is not None and profile is None:
        raise NotFound("There is no such profile in the agent's organization. agentProfilesList lists them.")
    pool = ProfilePool.objects.filter(organization_id=organization_id, pk=pool_id).first() if pool_id else None
    if pool_id is not None and pool is None:
        raise NotFound("There is no such pool in the agent's organization.")
    return profile, pool


def _profile(
    organization_id: int, profile_id: UUID | None, pool_id: UUID | None
) -> tuple[Profile | None, ProfilePool | None]:
    """The profile named, or the one whose turn it is in the pool named."""
    profile, pool = named_profile(organization_id, profile_id, pool_id)
    if pool is not None:
        busy = Execution.objects.filter(organization_id=organization_id, status__in=LIVE, profile__isnull=False)
        profile = pools.pick_profile(pool, in_use=list(busy.values_list("profile_id", flat=True)))
    return profile, pool


def _parent(caller: Caller, workflow: Workflow, parent_id: UUID | None) -> Execution | None:
    if parent_id is None:
        return None
    parent = Execution.objects.for_caller(caller).filter(agent_id=workflow.agent_id, pk=parent_id).first()
    if parent is None:
        raise NotFound("parentExecutionId names no execution of this agent. executionsList lists them.")
    return parent
