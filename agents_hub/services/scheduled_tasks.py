"""What can be done with scheduled tasks. A task is its maker's own: with their connections it asks what they wrote.

Colleagues see that there is one, and when it runs; neither its prompt nor its conversations. Admins can disable and
delete it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import is_admin, organizations_of
from agents_hub.models import Agent, ScheduledTask, TaskRun, Turn, TurnEvent, TurnStatus
from agents_hub.services import conversations, turns
from agents_hub.services.agents import find_agent
from dashboard.numbered_pages import NumberedPage, numbered
from mcp_gateway.remote.badges import Badge
from mcp_gateway.remote.services.connections import status_of
from scheduling.cron import Cron
from scheduling.models import AbstractSchedule, Overlap
from scheduling.services import due, switching
from security import audit

LONGEST_PROMPT = 20_000
# Runs looked at in one go.
BATCH = 200
INTERRUPTED = "The answer was interrupted, and no reason was recorded."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask the agent, and when."""

    name: str
    cron_expression: str
    time_zone: str
    prompt: str
    overlap: str = Overlap.SKIP


WANTED = tuple(field.name for field in fields(Wanted))


def find(caller: Caller, schedule_id: UUID) -> ScheduledTask:
    """The task, for all who belong to its organization: what of it they are shown is the door's to hold to."""
    caller.require(Scope.READ)
    tasks = ScheduledTask.objects.for_caller(caller).select_related("organization", "maker", "agent")
    task = tasks.filter(pk=schedule_id).first()
    if task is None:
        raise NotFound("There is no such scheduled task in your organizations.")
    return task


def list_tasks(
    caller: Caller,
    *,
    organization_id: UUID | None = None,
    agent_id: UUID | None = None,
    is_mine: bool = False,
    sort_direction: str = "asc",
    page: int = 1,
    page_size: int = 10,
) -> NumberedPage[ScheduledTask]:
    """By when they are due next, disabled ones last."""
    caller.require(Scope.READ)
    tasks = ScheduledTask.objects.filter(organization_id__in=organizations_of(caller, organization_id))
    if agent_id is not None:
        tasks = tasks.filter(agent=find_agent(caller, agent_id))
    if is_mine:
        tasks = tasks.filter(maker_id=caller.user_id)
    due_next = F("next_due_at").desc(nulls_last=True) if sort_direction == "desc" else F("next_due_at").asc()
    rows = tasks.select_related("organization", "agent")
    return numbered(rows, order=(due_next, F("id").asc()), number=page, size=page_size)


def list_runs(caller: Caller, task: ScheduledTask, *, page: int = 1, page_size: int = 10) -> NumberedPage[TaskRun]:
    """The runs of a task that the caller found, the latest first."""
    caller.require(Scope.READ)
    return numbered(task.runs.select_related("turn"), order=("-id",), number=page, size=page_size)


def create_task(caller: Caller, *, agent_id: UUID, wanted: Wanted) -> ScheduledTask:
    """Raises `NotFound` where the caller may not talk to the agent."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        agent = conversations.agent_to_talk_to(caller, agent_id)
        switching.refuse_too_many(ScheduledTask.objects.filter(organization_id=agent.organization_id).count())
        task = ScheduledTask(organization=agent.organization, agent=agent, maker_id=caller.user_id)
        _write(task, wanted)
        _record(caller, "schedule.create", task)
    return task


def update_task(caller: Caller, schedule_id: UUID, wanted: Wanted) -> ScheduledTask:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        task = _locked(caller, schedule_id)
        _makers_alone(caller, task)
        task.forget_trouble()
        _write(task, wanted)
        _record(caller, "schedule.update", task)
    return task


def change_task(
    caller: Caller, schedule_id: UUID, *, changes: Mapping[str, str], on: bool | None = None
) -> ScheduledTask:
    """Change what is named of what is wanted and keep the rest, and switch it: all of it, or nothing."""
    with transaction.atomic():
        # Held first: what is kept is what is there by then.
        task = _locked(caller, schedule_id)
        if changes:
            there = Wanted(**{name: getattr(task, name) for name in WANTED})
            task = update_task(caller, schedule_id, replace(there, **changes))
        if on is not None:
            task = switch(caller, schedule_id, on=on)
    return task


def switch(caller: Caller, schedule_id: UUID, *, on: bool) -> ScheduledTask:
    """Its maker switches it on and off, an admin off."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        task = _locked(caller, schedule_id)
        if on or not is_admin(caller, task.organization_id):
            _makers_alone(caller, task)
        switching.switch(caller, task, on=on)
    return task


def delete(caller: Caller, schedule_id: UUID) -> None:
    """For its maker and for admins. The conversations stay."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        task = _locked(caller, schedule_id)
        if not is_admin(caller, task.organization_id):
            _makers_alone(caller, task)
        switching.remove(caller, task)


def run_now(caller: Caller, schedule_id: UUID) -> TaskRun:
    """Ask once more. When it is due next does not change."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        task = find(caller, schedule_id)
        _makers_alone(caller, task)
        run = TaskRun.objects.create(schedule=task, asked_by_id=caller.user_id, **_start(task, caller))
        audit.record("schedule.run", caller=caller, target=due.target(task))
    return run


def run_due() -> int:
    """Ask what is due, each due time once; how many were taken."""
    tasks = ScheduledTask.objects.select_related("agent")
    return due.run_due(tasks, TaskRun.objects, _start, is_going=_is_going, is_done=False)


def settle_runs() -> int:
    """Look at what the turns of runs came to, and note on each task whether it works; how many were looked at.

    A run whose turn failed, or that had to do without a server which its person is no longer connected to, says so.
    """
    # The plan: the partial index of runs that are not settled.
    over = TaskRun.objects.filter(is_settled=False, turn__ended_at__isnull=False)
    return sum(settle(run) for run in over.order_by("id")[:BATCH])


def is_makers(caller: Caller, task: AbstractSchedule) -> bool:
    return task.maker_id == caller.user_id


def offered(caller: Caller, task: AbstractSchedule) -> frozenset[str]:
    """What the page offers to the person."""
    if is_makers(caller, task):
        return frozenset({"edit", "switch", "run", "delete"})
    if is_admin(caller, task.organization_id):
        return frozenset({"switch", "delete"} if task.is_enabled else {"delete"})
    return frozenset()


def _start(task: ScheduledTask, caller: Caller) -> Mapping[str, Any]:
    agent = conversations.agent_to_talk_to(caller, task.agent_id)
    _refuse_lost_connections(caller, agent)
    conversation = conversations.begin_conversation(caller, agent_id=agent.pk)
    conversations.rename_conversation(caller, conversation_id=conversation.pk, title=task.name)
    turn = turns.begin(caller, conversation_id=conversation.pk, text=task.prompt)
    return {"conversation": conversation, "turn": turn}


def _is_going(task: ScheduledTask) -> bool:
    # The plan: the index of turns under way, which are few.
    return TaskRun.objects.filter(schedule=task, turn__status=TurnStatus.IN_PROGRESS).exists()


def _refuse_lost_connections(caller: Caller, agent: Agent) -> None:
    """Raise `Conflict` where the person has to connect first: nobody is there to do it when the clock asks.

    A server that is down is another matter. It is named to the agent, which does what it can without.
    """
    assigned = [one.server for one in agent.agent_servers.select_related("server__health").order_by("server__name")]
    servers = [server for server in assigned if server.enabled and server.needs_sign_in and not server.fault_code]
    badges = status_of(caller, servers)
    lost = [server.name for server in servers if badges[server.pk] != Badge.CONNECTED]
    if lost:
        raise Conflict(
            f"Your connection to {', '.join(lost)} needs to be reconnected before this agent can use its tools. "
            "Connect under Control Hub, Integrations; the next run then works as before.",
            code="not_connected",
        )


@transaction.atomic
def settle(run: TaskRun) -> bool:
    """Look at what the run's turn came to; whether it was over still, and nobody had looked."""
    # The task's row first, in the order in which whoever runs it takes the two; then the turn's, before the run's, in
    # that of whoever has it gone on with: what it came to is then no longer how it stands.
    task = ScheduledTask.objects.select_for_update(no_key=True).filter(pk=run.schedule_id).first()
    turns_held = Turn.objects.select_for_update(no_key=True, of=("self",))
    turn = turns_held.filter(task_run=run, ended_at__isnull=False).first()
    if task is None or turn is None:
        return False
    problem = _problem_of(turn)
    if not TaskRun.objects.filter(pk=run.pk, is_settled=False).update(is_settled=True, problem=problem):
        return False
    # What somebody pressed a button for, they look at themselves; and a later due time knows better.
    if run.due_at is not None and run.due_at == task.last_due_at:
        if problem:
            task.note_trouble(problem, timezone.now())
        else:
            task.forget_trouble()
        task.save(update_fields=["problem", "problem_since", "owner_told_at"])
    return True


def _problem_of(turn: Turn) -> str:
    if turn.status in (TurnStatus.ERROR, TurnStatus.TIMEOUT):
        return turn.error or INTERRUPTED
    told = TurnEvent.objects.filter(turn=turn, kind="problem", body__connects=True).order_by("number")
    return " ".join(told.values_list("body__message", flat=True))


def _write(task: ScheduledTask, wanted: Wanted) -> None:
    task.name = switching.checked_name(wanted.name)
    task.set_time(Cron.read(wanted.cron_expression, wanted.time_zone), timezone.now())
    task.overlap = switching.checked_overlap(wanted.overlap)
    task.prompt = wanted.prompt.strip()
    if not 1 <= len(task.prompt) <= LONGEST_PROMPT:
        raise Invalid(
            f"Write what to ask the agent, in at most {LONGEST_PROMPT:,} characters.", data={"field": "prompt"}
        )
    task.save()


def _makers_alone(caller: Caller, task: ScheduledTask) -> None:
    if not is_makers(caller, task):
        raise Forbidden(
            "Only its maker can change a scheduled task, because it uses their connections. Create your own instead."
        )


def _locked(caller: Caller, schedule_id: UUID) -> ScheduledTask:
    """The task, held until the transaction ends: a run that is just being made comes first, or after."""
    find(caller, schedule_id)
    tasks = ScheduledTask.objects.select_for_update(no_key=True, of=("self",))
    return tasks.select_related("agent", "organization").get(pk=schedule_id)


def _record(caller: Caller, action: str, task: ScheduledTask) -> None:
    detail = {
        "agent": str(task.agent_id),
        "name": task.name,
        "cron": task.cron_expression,
        "time_zone": task.time_zone,
        "overlap": task.overlap,
    }
    audit.record(action, caller=caller, target=due.target(task), detail=detail)
