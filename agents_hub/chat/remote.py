"""The tools of an agent's remote servers: called with the connection of the person who talks to it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from agents_hub.chat.sources import CallContext, ChatTool, Problem, ToolOutcome
from agents_hub.services.abilities import origin_of
from mcp_gateway.remote.problems import Problem as RemoteProblem
from mcp_gateway.remote.problems import RemoteError
from mcp_gateway.remote.toolbox import OfferedTool, Toolbox
from mcp_gateway.remote.wording import MOST_TITLE, named, quotable, told


def as_tool(box: Toolbox, tool: OfferedTool, server_name: str) -> ChatTool:
    async def perform(arguments: Mapping[str, Any], context: CallContext) -> ToolOutcome:
        try:
            result = await box.call(
                tool.name,
                arguments,
                ask=context.ask,
                confirmed=context.allowed,
                idempotency_key=context.key,
            )
        except RemoteError as error:
            return ToolOutcome.said(error.message, failed=True)
        return ToolOutcome(result.content, result.structured, result.is_error, result.notes)

    hints = tool.annotations
    return ChatTool(
        name=tool.name,
        title=quotable(tool.title, MOST_TITLE) or quotable(tool.remote_name, MOST_TITLE),
        description=tool.description or tool.title or tool.remote_name,
        parameters=tool.input_schema,
        origin=origin_of(tool.server_id),
        origin_name=named(server_name),
        tool=tool.remote_name,
        perform=perform,
        ask_first=tool.ask_first,
        repeatable=bool(hints.get("readOnlyHint") or hints.get("idempotentHint")),
        digest=_digest(tool),
    )


def as_problem(problem: RemoteProblem) -> Problem:
    return Problem(
        origin=origin_of(problem.server_id),
        origin_name=named(problem.server_name),
        code=problem.code,
        message=problem.message,
        connects=problem.connects,
        told=told(problem),
    )


def _digest(tool: OfferedTool) -> str:
    """Of what the person saw when they allowed it."""
    seen = [tool.remote_name, tool.title, tool.description, dict(tool.input_schema)]
    return hashlib.sha256(json.dumps(seen, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
