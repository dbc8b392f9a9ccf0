"""Scheduled tasks on the wire: what an agent is asked, and when; and what each run came to."""

from typing import Annotated, Literal

from django.utils import timezone
from pydantic import Field

from accounts.caller import Caller
from accounts.errors import Invalid
from agents_hub.models import ScheduledTask, TaskRun
from agents_hub.services.scheduled_tasks import LONGEST_PROMPT, WANTED, Wanted, is_makers
from agents_hub.shapes.wire import AgentId, Id, TaskId, TurnStatusName
from mcp_gateway.shapes import Arguments, Moment, OrganizationId, PageArguments, PageOf, Result, Secret
from scheduling.cron import LONGEST
from scheduling.services.switching import LONGEST_NAME

OverlapName = Literal["skip", "beside"]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Prompt = Annotated[Secret, Field(max_length=LONGEST_PROMPT, description="What the agent is asked each time.")]
Expression = Annotated[str, Field(max_length=LONGEST, description="Cron, as in 0 9 * * MON-FRI.")]
Zone = Annotated[str, Field(max_length=64, description="A time zone of the IANA database, as in Europe/Berlin.")]
OVERLAP = "While the previous run is still going: skip that time, or run beside it."
UPCOMING = 5


class OneTask(Arguments):
    scheduled_task_id: TaskId


class ListTasks(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    agent_id: AgentId | None = None
    is_mine: Annotated[bool, Field(description="Only those you made.")] = False
    sort_direction: Literal["asc", "desc"] = Field("asc", description="By when they are due next; disabled ones last.")


class MakeTask(Arguments):
    agent_id: AgentId
    name: Name
    prompt: Prompt
    cron_expression: Expression
    time_zone: Zone = "UTC"
    overlap: OverlapName = Field("skip", description=OVERLAP)
    is_enabled: bool = True

    def wanted(self) -> Wanted:
        return Wanted(**{name: getattr(self, name) for name in WANTED})


class ChangeTask(OneTask):
    name: Name | None = None
    prompt: Prompt | None = None
    cron_expression: Expression | None = None
    time_zone: Zone | None = None
    overlap: OverlapName | None = Field(None, description=OVERLAP)
    is_enabled: bool | None = None

    def changes(self) -> dict[str, str]:
        """What is sent of what is wanted, by its names."""
        return {name: value for name in WANTED if (value := getattr(self, name)) is not None}


class TaskShape(Result):
    id: Id
    organization_id: Id
    agent_id: Id
    agent_name: str
    name: str
    prompt: str | None = Field(description="For its maker alone.")
    is_mine: bool
    cron_expression: str
    time_zone: str
    in_words: str
    overlap: OverlapName
    is_enabled: bool
    next_due: list[Moment] = Field(description="The next times; none while it is disabled.")
    last_due_at: Moment | None
    problem: str | None = Field(description="Why its latest due run did not work.")
    problem_since: Moment | None
    created_at: Moment

    @classmethod
    def of(cls, caller: Caller, task: ScheduledTask) -> "TaskShape":
        """From a row with its organization and agent at hand."""
        words, upcoming = _times(task)
        return cls(
            id=task.pk,
            organization_id=task.organization.uid,
            agent_id=task.agent_id,
            agent_name=task.agent.name,
            name=task.name,
            prompt=task.prompt if is_makers(caller, task) else None,
            is_mine=is_makers(caller, task),
            cron_expression=task.cron_expression,
            time_zone=task.time_zone,
            in_words=words,
            overlap=task.overlap,
            is_enabled=task.is_enabled,
            next_due=upcoming,
            last_due_at=task.last_due_at,
            problem=task.problem or None,
            problem_since=task.problem_since,
            created_at=task.created_at,
        )


class TaskPage(PageOf[TaskShape]):
    pass


class ListRuns(PageArguments):
    scheduled_task_id: TaskId


class TaskRunShape(Result):
    due_at: Moment | None = Field(description="Empty where somebody asked for the run.")
    made_at: Moment
    missed: int = Field(description="Later due times that had passed too and have no run of their own.")
    is_skipped: bool = Field(description="The previous run was still going.")
    problem: str | None = Field(description="Why it was not begun, or what its answer failed with.")
    status: TurnStatusName | None = Field(description="How its answer stands.")
    conversation_id: Id | None = Field(description="For the task's maker alone.")
    turn_id: Id | None = Field(description="For the task's maker alone.")

    @classmethod
    def of(cls, run: TaskRun, *, is_mine: bool) -> "TaskRunShape":
        """From a row with its turn at hand."""
        return cls(
            due_at=run.due_at,
            made_at=run.made_at,
            missed=run.missed,
            is_skipped=run.is_skipped,
            problem=run.problem or None,
            status=run.turn.status if run.turn else None,
            conversation_id=run.conversation_id if is_mine else None,
            turn_id=run.turn_id if is_mine else None,
        )


class TaskRunPage(PageOf[TaskRunShape]):
    pass


def _times(task: ScheduledTask) -> tuple[str, list[Moment]]:
    try:
        cron = task.cron
    except Invalid:
        return f"{task.time_zone} is a time zone that is not known here any more.", []
    return cron.in_words(), cron.upcoming(UPCOMING, timezone.now()) if task.is_enabled else []
