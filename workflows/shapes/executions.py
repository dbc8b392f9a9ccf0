"""Executions on the wire, to the letter of the contract (docs/adr/0090)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, RootModel, model_validator

from accounts.caller import Caller
from agents_hub.files import links
from agents_hub.shapes.wire import AgentId, FileId, Id, PoolId, ProfileId
from mcp_gateway.shapes import Arguments, Direction, Moment, OrganizationId, PageArguments, PageOf, Result
from workflows.engine.states import TERMINAL
from workflows.ids import ActivityId, ExecutionId, LabelId, WorkflowId
from workflows.models import Activity, Execution, ExecutionFile, Trigger
from workflows.shapes.display import display_of
from workflows.shapes.marks import CommentShape, LabelShape

StatusName = Literal[
    "starting", "running", "paused", "paused_by_agent", "awaiting_confirmation", "completed", "failed", "cancelled"
]
Inputs = Annotated[dict[str, Any], Field(max_length=200, description="Values for the placeholders of the workflow.")]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[str, Field(max_length=1_000)]],
    Field(max_length=50, description="Your own notes, text by name."),
]


class ResultShape(Result):
    id: Id
    execution_id: Id
    outcome: str
    reasoning: str
    result: Any = None
    created_at: Moment


class Runner(Result):
    user_id: Id
    email: str


class KeyRef(Result):
    id: str
    name: str


class ScheduleRef(Result):
    id: Id
    cron_expression: str


class TriggerContext(Result):
    source: Literal["api", "ui", "schedule"]
    runner: Runner | None = None
    api_key: KeyRef | None = None
    schedule: ScheduleRef | None = None

    @classmethod
    def of(cls, execution: Execution) -> "TriggerContext":
        person, key = execution.runner, execution.api_key
        scheduled = execution.trigger == Trigger.SCHEDULE and execution.schedule_id is not None
        return cls(
            source=Trigger(execution.trigger).value,
            runner=Runner(user_id=person.uid, email=person.email) if person and not scheduled else None,
            api_key=KeyRef(id=str(key.pk), name=key.name) if key else None,
            schedule=ScheduleRef(id=execution.schedule_id, cron_expression=execution.cron_expression)
            if scheduled and execution.schedule_id
            else None,
        )


class ExecutionOptions(Arguments):
    """How this run is to be carried out."""

    shared_storage_key: Annotated[str, Field(max_length=200, description="Runs with it share files.")] | None = None
    soft_timeout_mins: Annotated[int, Field(ge=1, le=1_440)] | None = None


class ExecutionShape(Result):
    id: Id
    agent_id: Id
    workflow_id: Id
    status: StatusName
    created_at: Moment
    terminal_at: Moment | None
    organization_id: Id
    agent_name: str
    agent_profile_name: str | None
    agent_profile_id: Id | None
    inputs: dict[str, Any] | None
    execution_result: ResultShape | None
    duration: Annotated[float | None, Field(description="Seconds, once it has ended.")]
    human_labels: list[LabelShape]
    comments: list[CommentShape]
    metadata: dict[str, str] | None
    recording_url: str | None = None
    live_view_url: str | None = None
    browser_recording_url: str | None = None
    browser_live_view_url: str | None = None
    trigger_context: TriggerContext | None
    execution_options: dict[str, Any] | None
    has_been_rerun: bool
    parent_execution_id: Id | None

    @classmethod
    def of(cls, execution: Execution) -> "ExecutionShape":
        """From a row with its relations (`services.listing.with_relations`)."""
        ended = execution.terminal_at
        return cls(
            id=execution.pk,
            agent_id=execution.agent_id,
            workflow_id=execution.workflow_id,
            status=execution.state.value,
            created_at=execution.created_at,
            terminal_at=ended,
            organization_id=execution.organization.uid,
            agent_name=execution.agent.name,
            agent_profile_name=execution.profile.name if execution.profile else None,
            agent_profile_id=execution.profile_id,
            inputs=execution.inputs or None,
            execution_result=_result(execution),
            duration=round((ended - execution.created_at).total_seconds(), 3) if ended else None,
            human_labels=[LabelShape.of(label) for label in execution.labels.all()],
            comments=[CommentShape.of(comment) for comment in execution.comments.all()],
            metadata=execution.metadata or None,
            trigger_context=TriggerContext.of(execution),
            execution_options=execution.options or None,
            has_been_rerun=bool(execution.reruns.all()),
            parent_execution_id=execution.parent_id,
        )


class ExecutionPage(PageOf[ExecutionShape]):
    pass


class ActivityShape(Result):
    id: Id
    execution_id: Id
    timestamp: Moment
    payload: dict[str, Any]
    display: dict[str, Any] | None = None

    @classmethod
    def of(cls, caller: Caller, activity: Activity) -> "ActivityShape":
        payload = {"activityType": activity.type, **activity.payload}
        if activity.type == "file_added":
            payload["presignedUrl"] = links.sign(caller, ExecutionFile(pk=UUID(activity.payload["fileId"])))
        return cls(
            id=activity.pk,
            execution_id=activity.execution_id,
            timestamp=activity.at,
            payload=payload,
            display=display_of(activity),
        )


class Activities(RootModel[list[ActivityShape]]):
    """What happened in an execution."""


class Words(RootModel[str]):
    """What was done, in words."""


class ListExecutions(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    execution_id: Annotated[str, Field(max_length=36, description="Part of the id.")] = ""
    agent_id: AgentId | None = None
    status: Annotated[list[StatusName], Field(max_length=8, description="Any of these.")] = []
    created_after: Moment | None = None
    created_before: Moment | None = None
    human_labels: Annotated[list[LabelId], Field(max_length=50, description="Any of these labels.")] = []
    outcome_label: Annotated[str, Field(max_length=30, description="Part of the outcome, in any case.")] = ""
    metadata_key: Annotated[str, Field(max_length=100)] = ""
    metadata_value: Annotated[str, Field(max_length=1_000)] = ""
    inputs_key: Annotated[str, Field(max_length=100)] = ""
    inputs_value: Annotated[str, Field(max_length=1_000, description="Part of the value, in any case.")] = ""
    workflow_version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    sort_field: Literal["created_at", "status"] = "created_at"


class OneExecution(Arguments):
    execution_id: ExecutionId


class ListActivities(OneExecution):
    order: Direction = "asc"
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100
    after: Annotated[
        ActivityId | None, Field(description="Only those that follow the activity with this id in the order asked for.")
    ] = None


class AskStatus(OneExecution):
    status: Literal["running", "paused", "cancelled"]


class AddMessage(OneExecution):
    message: Annotated[str, Field(min_length=1, max_length=20_000)]


class TempFileRef(Arguments):
    id: FileId
    name: Annotated[str, Field(max_length=1_000)] = ""


class StartArguments(Arguments):
    """What every way of starting takes."""

    agent_id: AgentId
    metadata: Metadata = {}
    agent_profile_id: ProfileId | None = None
    agent_profile_pool_id: PoolId | None = None
    temp_files: Annotated[list[TempFileRef], Field(max_length=20, description="As tempFilesStage gave them.")] = []
    execution_options: ExecutionOptions | None = None


class ExecuteAgent(StartArguments):
    inputs: Inputs = {}
    dynamic_data: Annotated[Inputs | None, Field(description="The older name of inputs.")] = None
    version: Annotated[
        int | None, Field(ge=1, le=2**31 - 1, description="A published number; absent, the published default.")
    ] = None

    @model_validator(mode="after")
    def _one_name(self) -> "ExecuteAgent":
        if self.inputs and self.dynamic_data:
            raise ValueError("give inputs or dynamicData, not both")
        return self


class ExecuteWorkflow(StartArguments):
    workflow_id: WorkflowId
    input_variables: Inputs = {}
    parent_execution_id: ExecutionId | None = None


class StartedExecution(Result):
    execution_id: Id


class SyncExecution(Arguments):
    agent_id: AgentId
    workflow_id: WorkflowId
    execution_id: ExecutionId


class SyncedExecution(Result):
    execution_id: Id
    workflow_id: Id


def _result(execution: Execution) -> ResultShape | None:
    if execution.result_id is None or execution.terminal_at is None or execution.state not in TERMINAL:
        return None
    return ResultShape(
        id=execution.result_id,
        execution_id=execution.pk,
        outcome=execution.outcome,
        reasoning=execution.reasoning,
        result=execution.result,
        created_at=execution.terminal_at,
    )
