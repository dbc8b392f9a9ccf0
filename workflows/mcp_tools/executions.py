"""execution*, agentExecutePost, workflowExecute, workflowSyncExecution: runs by tool."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from workflows.engine.states import Status
from workflows.services import executions, listing, wishes
from workflows.shapes.executions import (
    Activities,
    ActivityShape,
    AddMessage,
    AskStatus,
    ExecuteAgent,
    ExecuteWorkflow,
    ExecutionPage,
    ExecutionShape,
    ListActivities,
    ListExecutions,
    OneExecution,
    StartArguments,
    StartedExecution,
    SyncedExecution,
    SyncExecution,
    Words,
)

FILTERS = set(listing.Filters.__slots__)


@registry.tool("agentExecutePost", server=SERVER, scope=Scope.WRITE, title="Start an execution of an agent")
def execute_agent(caller: Caller, arguments: ExecuteAgent) -> StartedExecution:
    """Start an execution of an agent: of its published workflow, or of the published version named.

    inputs fill the placeholders that workflowGet lists. executionGet and executionActivitiesGet follow what happens.
    """
    execution = executions.execute_agent(
        caller,
        agent_id=arguments.agent_id,
        version=arguments.version,
        inputs=arguments.inputs or arguments.dynamic_data or {},
        **_options(arguments),
    )
    return StartedExecution(execution_id=execution.pk)


@registry.tool("workflowExecute", server=SERVER, scope=Scope.WRITE, title="Run a workflow version")
def execute_workflow(caller: Caller, arguments: ExecuteWorkflow) -> StartedExecution:
    """Run a specific version, published or not: for testing a draft. parentExecutionId makes it a rerun of that one."""
    execution = executions.execute_workflow(
        caller,
        agent_id=arguments.agent_id,
        workflow_id=arguments.workflow_id,
        inputs=arguments.input_variables,
        parent_id=arguments.parent_execution_id,
        **_options(arguments),
    )
    return StartedExecution(execution_id=execution.pk)


@registry.tool("executionsList", server=SERVER, scope=Scope.READ, title="List executions", read_only=True)
def list_executions(caller: Caller, arguments: ListExecutions) -> ExecutionPage:
    """List executions of one organization, or of all of yours, by filters and a page at a time."""
    given = dict(arguments)
    filters = listing.Filters(**{name: value for name, value in given.items() if name in FILTERS})
    page = listing.list_executions(
        caller,
        filters,
        sort_field=arguments.sort_field,
        sort_direction=arguments.sort_direction,
        page=arguments.page,
        page_size=arguments.page_size,
    )
    return ExecutionPage(
        items=[ExecutionShape.of(row) for row in page.rows], page=page.number, page_size=page.size, total=page.total
    )


@registry.tool("executionGet", server=SERVER, scope=Scope.READ, title="Get an execution", read_only=True)
def get_execution(caller: Caller, arguments: OneExecution) -> ExecutionShape:
    """Fetch one execution whole: status, inputs, result with outcome and reasoning, labels and comments."""
    return ExecutionShape.of(executions.find_execution(caller, arguments.execution_id))


@registry.tool(
    "executionActivitiesGet", server=SERVER, scope=Scope.READ, title="Get an execution's activities", read_only=True
)
def get_activities(caller: Caller, arguments: ListActivities) -> Activities:
    """What happened in an execution, one activity after the other: steps, actions, messages, changes of status.

    To debug a failed run, read it in the order desc: the last activities say why it failed. Where there are more than
    limit, read on with after, the id of the last one you were given.
    """
    execution_id = arguments.execution_id
    executions.require_execution(caller, execution_id)
    after = listing.number_of(execution_id, arguments.after) if arguments.after else None
    found = listing.list_activities(
        caller, execution_id=execution_id, order=arguments.order, limit=arguments.limit, after=after
    )
    return Activities([ActivityShape.of(caller, activity) for activity in found])


@registry.tool(
    "executionStatusUpdate", server=SERVER, scope=Scope.WRITE, title="Pause, resume or cancel", destructive=True
)
def update_status(caller: Caller, arguments: AskStatus) -> Words:
    """Pause, resume or cancel an execution. One that awaits a confirmation is confirmed by running.

    What a worker has in hand takes effect at its next step; the answer says which.
    """
    said = wishes.ask_status(caller, execution_id=arguments.execution_id, status=Status(arguments.status))
    return Words(said)


@registry.tool("executionUserMessagesAdd", server=SERVER, scope=Scope.WRITE, title="Send a message into an execution")
def add_message(caller: Caller, arguments: AddMessage) -> Words:
    """Say something to the agent while it runs; it is seen before the next step. Where the agent asked, it answers."""
    return Words(wishes.add_message(caller, execution_id=arguments.execution_id, text=arguments.message))


@registry.tool(
    "workflowSyncExecution", server=SERVER, scope=Scope.WRITE, title="Point an execution at a workflow version"
)
def sync_execution(caller: Caller, arguments: SyncExecution) -> SyncedExecution:
    """Have an execution go on by another version of its agent: from its next step on, or when it resumes."""
    execution = wishes.sync(
        caller,
        agent_id=arguments.agent_id,
        workflow_id=arguments.workflow_id,
        execution_id=arguments.execution_id,
    )
    return SyncedExecution(execution_id=execution.pk, workflow_id=arguments.workflow_id)


def _options(arguments: StartArguments) -> dict[str, object]:
    given = arguments.execution_options
    return {
        "metadata": arguments.metadata,
        "profile_id": arguments.agent_profile_id,
        "pool_id": arguments.agent_profile_pool_id,
        "temp_files": [(file.id, file.name) for file in arguments.temp_files],
        "options": given.model_dump(by_alias=True, exclude_none=True) if given else {},
    }
