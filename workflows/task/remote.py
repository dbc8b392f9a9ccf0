"""The tools of the agent's remote servers as actions: called with the connections of whoever started the run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from pydantic import BaseModel, ConfigDict

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from agents_hub.services.abilities import origin_of, switched_off
from agents_hub.services.agent_servers import assigned_ids
from mcp_gateway.remote import toolbox
from mcp_gateway.remote.problems import RemoteError
from mcp_gateway.remote.toolbox import OfferedTool, RemoteResult, Toolbox
from mcp_gateway.remote.wording import named, told
from workflows.engine.work import Work
from workflows.graph.properties import MCP_CALL
from workflows.task.actions import Action, ActionFailed, clipped

NOBODY = "Whoever started this run is no longer there, so no connection can be used."


@dataclass
class Found:
    """What the servers offer, and why some cannot be used."""

    actions: list[Action] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Given(BaseModel):
    """Arguments as the model gave them: the server itself says what does not fit."""

    model_config = ConfigDict(extra="allow")


@asynccontextmanager
async def tools_of(work: Work, secrets: list[str]) -> AsyncIterator[Found]:
    """The tools that are offered now. All connections are closed when the block is left."""
    runner = work.execution.runner_id
    if runner is None:
        yield Found(problems=[NOBODY])
        return
    caller = Caller(user_id=runner, scope=Scope.WRITE, door=Door.TASK)
    servers = await sync_to_async(assigned_ids)(work.execution.agent_id)
    off = await sync_to_async(switched_off)(work.execution.agent_id)
    async with toolbox.open(caller, servers) as box:
        problems = [f"{named(problem.server_name)}: {told(problem)}" for problem in box.problems]
        tools = [tool for tool in box.tools if (origin_of(tool.server_id), tool.remote_name) not in off]
        yield Found([_action(box, tool, secrets) for tool in tools], problems)


def _action(box: Toolbox, tool: OfferedTool, secrets: list[str]) -> Action:
    async def perform(work: Work, arguments: Given) -> Any:
        given = work.secrets.fill(arguments.model_dump(), secrets)
        try:
            # A tool that asks first comes here only once a person has allowed this very call.
            result = await box.call(tool.name, given, confirmed=True, idempotency_key=work.action_key)
        except RemoteError as error:
            raise ActionFailed(error.message) from None
        if result.is_error:
            raise ActionFailed(clipped(work.secrets.hide(result.text)) or "The tool failed and said nothing.")
        return _told(work, result)

    hints = tool.annotations
    return Action(
        tool.name,
        tool.description or tool.title,
        Given,
        perform,
        "mcp",
        repeatable=bool(hints.get("readOnlyHint") or hints.get("idempotentHint")),
        ask_first=tool.ask_first,
        called=MCP_CALL,
        parameters=tool.input_schema,
    )


def _told(work: Work, result: RemoteResult) -> Any:
    """What the model is given of it: the structured content where there is any, else the words. Nothing is cut before
    secrets are hidden: half a value would not be known again."""
    if result.structured is not None:
        return clipped(work.secrets.hide(result.structured))
    others = [f"[{block.get('type')}: not shown to you]" for block in result.content if block.get("type") != "text"]
    text = "\n".join([result.text, *others]).strip()
    return clipped(work.secrets.hide(text)) or "Done; the tool returned nothing."
