"""The REST routes of scheduled tasks, with the rules of their pages: a task is its maker's own."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.chat import watching
from agents_hub.services import scheduled_tasks as tasks
from agents_hub.shapes.tasks import (
    ChangeTask,
    ListRuns,
    ListTasks,
    MakeTask,
    OneTask,
    TaskPage,
    TaskRunPage,
    TaskRunShape,
    TaskShape,
)
from agents_hub.shapes.turns import Asked
from mcp_gateway.registry import registry
from mcp_gateway.rest.routes import REST_ONLY, chat_api
from mcp_gateway.shapes import Nothing

TASK = "scheduled-tasks/{scheduledTaskId}"


@registry.tool("scheduledTasksList", server=REST_ONLY, scope=Scope.READ, title="List scheduled tasks", read_only=True)
def list_tasks(caller: Caller, arguments: ListTasks) -> TaskPage:
    """List the scheduled tasks of your organizations. What others' tasks ask is not told."""
    page = tasks.list_tasks(caller, **dict(arguments))
    return TaskPage(
        items=[TaskShape.of(caller, task) for task in page.rows],
        page=page.number,
        page_size=page.size,
        total=page.total,
    )


@registry.tool("scheduledTasksCreate", server=REST_ONLY, scope=Scope.WRITE, title="Schedule a task")
def make_task(caller: Caller, arguments: MakeTask) -> TaskShape:
    """Have an agent that you may talk to asked by the clock, in your name and with your connections."""
    task = tasks.create_task(caller, agent_id=arguments.agent_id, wanted=arguments.wanted())
    if not arguments.is_enabled:
        task = tasks.switch(caller, task.pk, on=False)
    return TaskShape.of(caller, task)


@registry.tool("scheduledTaskGet", server=REST_ONLY, scope=Scope.READ, title="Get a scheduled task", read_only=True)
def get_task(caller: Caller, arguments: OneTask) -> TaskShape:
    """Fetch a scheduled task with its next times; what it asks is told to its maker alone."""
    return TaskShape.of(caller, tasks.find(caller, arguments.scheduled_task_id))


@registry.tool(
    "scheduledTaskUpdate", server=REST_ONLY, scope=Scope.WRITE, title="Change a scheduled task", idempotent=True
)
def change_task(caller: Caller, arguments: ChangeTask) -> TaskShape:
    """Change what is sent of a task of yours and keep the rest. Of others' tasks, admins may disable one."""
    task = tasks.change_task(caller, arguments.scheduled_task_id, changes=arguments.changes(), on=arguments.is_enabled)
    return TaskShape.of(caller, task)


@registry.tool(
    "scheduledTaskDelete", server=REST_ONLY, scope=Scope.WRITE, title="Delete a scheduled task", destructive=True
)
def delete_task(caller: Caller, arguments: OneTask) -> Nothing:
    """Delete a task of yours, or as an admin anybody's, with its history. The conversations stay."""
    tasks.delete(caller, arguments.scheduled_task_id)
    return Nothing()


@registry.tool("scheduledTaskRun", server=REST_ONLY, scope=Scope.WRITE, title="Run a scheduled task now")
def run_task(caller: Caller, arguments: OneTask) -> Asked:
    """Ask once more, now, whatever is still going. When it is due next does not change.

    Look at the turn to see how far it is; or accept text/event-stream, and its events come as they happen.
    """
    run = tasks.run_now(caller, arguments.scheduled_task_id)
    assert run.turn is not None
    return Asked.of(run.turn)


@registry.tool("scheduledTaskRunsList", server=REST_ONLY, scope=Scope.READ, title="List runs", read_only=True)
def list_runs(caller: Caller, arguments: ListRuns) -> TaskRunPage:
    """List the runs of a task, the latest first; their conversations are told to its maker alone."""
    task = tasks.find(caller, arguments.scheduled_task_id)
    page = tasks.list_runs(caller, task, page=arguments.page, page_size=arguments.page_size)
    is_mine = tasks.is_makers(caller, task)
    return TaskRunPage(
        items=[TaskRunShape.of(run, is_mine=is_mine) for run in page.rows],
        page=page.number,
        page_size=page.size,
        total=page.total,
    )


chat_api.add("GET", "scheduled-tasks", "scheduledTasksList", server=REST_ONLY)
chat_api.add("POST", "scheduled-tasks", "scheduledTasksCreate", server=REST_ONLY)
chat_api.add("GET", TASK, "scheduledTaskGet", server=REST_ONLY)
chat_api.add("PATCH", TASK, "scheduledTaskUpdate", server=REST_ONLY)
chat_api.add("DELETE", TASK, "scheduledTaskDelete", server=REST_ONLY)
chat_api.add("POST", f"{TASK}/run", "scheduledTaskRun", server=REST_ONLY, stream=watching.subject_of)
chat_api.add("GET", f"{TASK}/runs", "scheduledTaskRunsList", server=REST_ONLY)
