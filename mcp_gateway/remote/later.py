"""Tools that are answered later: the server takes the call as a task, which is asked after until it ends.

Revision 2025-11-25, “Tasks”; only servers of that revision have tools that can be called in no other way.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import anyio
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, CreateTaskResult, GetTaskResult, Task, Tool
from pydantic import ValidationError

from mcp_gateway.remote.patience import Progress
from mcp_gateway.remote.session import Session

# How often the server is asked, whatever it suggests: seconds.
SHORTEST_PAUSE, LONGEST_PAUSE = 0.1, 5.0
# How long the server keeps the result: milliseconds. It is fetched at once.
KEPT_MS = 300_000
# What is stopped has stopped within a second; a server that says nothing to that is not waited for.
CANCELLING_SECONDS = 0.5


def answered_later(tools: Iterable[Tool]) -> frozenset[str]:
    """The names of those that can only be called as tasks."""
    return frozenset(tool.name for tool in tools if tool.execution and tool.execution.task_support == "required")


async def call(session: Session, name: str, arguments: dict[str, Any], *, progress: Progress) -> CallToolResult:
    """The tool's result once there is one. A call that is given up is cancelled there."""
    params = {"name": name, "arguments": arguments, "task": {"ttl": KEPT_MS}}
    task: Task = CreateTaskResult.model_validate(await session.request("tools/call", params)).task
    try:
        await _ended(session, task, progress)
        # While the task waits for an answer of ours, this is also where it is asked for.
        result = await session.request("tasks/result", {"taskId": task.task_id})
    except asyncio.CancelledError:
        await _cancel(session, task)
        raise
    return CallToolResult.model_validate(result)


async def _ended(session: Session, task: Task, progress: Progress) -> None:
    """Until there is nothing to do for the task but to fetch its result; what it says of itself is passed on."""
    steps = 0
    said = task.status_message
    while task.status == "working":
        await asyncio.sleep(min(max((task.poll_interval or 0) / 1000, SHORTEST_PAUSE), LONGEST_PAUSE))
        task = GetTaskResult.model_validate(await session.request("tasks/get", {"taskId": task.task_id}))
        if task.status_message != said:
            steps, said = steps + 1, task.status_message
            await progress(steps, None, said)


async def _cancel(session: Session, task: Task) -> None:
    with anyio.move_on_after(CANCELLING_SECONDS, shield=True):
        try:
            await session.request("tasks/cancel", {"taskId": task.task_id})
        except (MCPError, ValidationError):
            return
