"""What can be done with schedules of workflows. All who belong to the organization may do it.

A due run is made in the maker's name, and whoever saves a schedule is its maker from then on: nobody can have what they
wrote run with the connections of somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.models import Agent
from agents_hub.services.agents import find_agent
from scheduling.cron import Cron
from scheduling.models import Overlap
from scheduling.services import due, switching
from security import audit
from workflows.engine.states import LIVE
from workflows.models import Schedule, ScheduleRun, Workflow
from workflows.services.executions import ScheduledBy, named_profile, refuse_what_cannot_start, start
from workflows.services.versions import default_version


@dataclass(frozen=True, slots=True)
class Wanted:
    """When to run and with what. Without `workflow_id` it is the version that is the default when a run is due."""

    name: str
    cron_expression: str
    time_zone: str
    workflow_id: UUID | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    profile_id: UUID | None = None
    pool_id: UUID | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    overlap: str = Overlap.SKIP


def find(caller: Caller, schedule_id: UUID) -> Schedule:
    caller.require(Scope.READ)
    schedules = Schedule.objects.for_caller(caller).select_related("organization", "maker", "agent", "workflow")
    schedule = schedules.filter(pk=schedule_id).first()
    if schedule is None:
        raise NotFound("There is no such schedule in your organizations.")
    return schedule


def create_schedule(caller: Caller, *, agent_id: UUID, wanted: Wanted) -> Schedule:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        agent = find_agent(caller, agent_id)
        switching.refuse_too_many(Schedule.objects.filter(organization_id=agent.organization_id).count())
        schedule = Schedule(organization=agent.organization, agent=agent)
        _write(caller, schedule, wanted)
        _record(caller, "schedule.create", schedule)
    return schedule


def update_schedule(caller: Caller, schedule_id: UUID, wanted: Wanted) -> Schedule:
    """Change it and make it the caller's own. Its trouble is over; if it is not, the next due run says so again."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        schedule = _locked(caller, schedule_id)
        schedule.forget_trouble()
        _write(caller, schedule, wanted)
        _record(caller, "schedule.update", schedule)
    return schedule


def switch(caller: Caller, schedule_id: UUID, *, on: bool) -> Schedule:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        schedule = _locked(caller, schedule_id)
        switching.switch(caller, schedule, on=on)
    return schedule


def delete(caller: Caller, schedule_id: UUID) -> None:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        switching.remove(caller, _locked(caller, schedule_id))


def run_now(caller: Caller, schedule_id: UUID) -> ScheduleRun:
    """Start it once more, in the name of whoever asks. When it is due next does not change."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        schedule = find(caller, schedule_id)
        run = ScheduleRun.objects.create(schedule=schedule, asked_by_id=caller.user_id, **_start(schedule, caller))
        audit.record("schedule.run", caller=caller, target=due.target(schedule))
    return run


def run_due() -> int:
    """Start what is due, each due time once; how many were taken."""
    schedules = Schedule.objects.select_related("agent")
    return due.run_due(schedules, ScheduleRun.objects, _start, is_going=_is_going)


def _start(schedule: Schedule, caller: Caller) -> Mapping[str, Any]:
    agent = find_agent(caller, schedule.agent_id)
    execution = start(
        caller,
        workflow=_version(agent, schedule.workflow_id),
        inputs=schedule.inputs,
        options=schedule.options,
        profile_id=schedule.profile_id,
        pool_id=schedule.pool_id,
        scheduled_by=ScheduledBy(schedule.pk, schedule.cron_expression),
    )
    return {"execution": execution}


def _is_going(schedule: Schedule) -> bool:
    """Whether a run of it has not ended, be it that it waits for somebody."""
    return ScheduleRun.objects.filter(schedule=schedule, execution__status__in=LIVE).exists()


def _write(caller: Caller, schedule: Schedule, wanted: Wanted) -> None:
    """Save what is wanted, if a run could be started with it now."""
    schedule.name = switching.checked_name(wanted.name)
    schedule.set_time(Cron.read(wanted.cron_expression, wanted.time_zone), timezone.now())
    schedule.overlap = switching.checked_overlap(wanted.overlap)
    version = _version(schedule.agent, wanted.workflow_id)
    refuse_what_cannot_start(version, wanted.inputs, wanted.options)
    named_profile(schedule.organization_id, wanted.profile_id, wanted.pool_id)
    schedule.maker_id = caller.user_id
    schedule.workflow = version if wanted.workflow_id else None
    schedule.inputs, schedule.options = dict(wanted.inputs), dict(wanted.options)
    schedule.profile_id, schedule.pool_id = wanted.profile_id, wanted.pool_id
    schedule.save()


def _version(agent: Agent, workflow_id: UUID | None) -> Workflow:
    """The published version named, else the default."""
    if workflow_id is None:
        version = default_version(agent.pk)
        if version is None:
            raise Conflict(
                f"“{agent.name}” has no published workflow. Publish a version, and the next run takes it.",
                code="not_published",
            )
        return version
    named = Workflow.objects.filter(agent=agent, pk=workflow_id).first()
    if named is None:
        raise NotFound(f"“{agent.name}” has no such version.")
    if named.version is None:
        raise Invalid("Only published versions can be scheduled. Publish this one first.", data={"field": "version"})
    return named


def _locked(caller: Caller, schedule_id: UUID) -> Schedule:
    """The schedule, held until the transaction ends: a run that is just being made comes first, or after."""
    find(caller, schedule_id)
    schedules = Schedule.objects.select_for_update(no_key=True, of=("self",)).select_related("agent", "organization")
    return schedules.get(pk=schedule_id)


def _record(caller: Caller, action: str, schedule: Schedule) -> None:
    detail = {
        "agent": str(schedule.agent_id),
        "name": schedule.name,
        "cron": schedule.cron_expression,
        "time_zone": schedule.time_zone,
        "overlap": schedule.overlap,
    }
    audit.record(action, caller=caller, target=due.target(schedule), detail=detail)
