"""Calling the platform's own tools from within it, as a person: checked and recorded as calls from outside are."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mcp_types import CallToolResult, TextContent

from accounts.caller import Caller
from mcp_gateway.calls import ACTION, Call
from mcp_gateway.progress import Progress
from mcp_gateway.registry import BARE, Tool
from mcp_gateway.server import scope_missing
from mcp_gateway.trail import AtOnce
from security import audit
from security.audit import Outcome

logger = logging.getLogger(__name__)
_trail = AtOnce()


@dataclass(frozen=True, slots=True)
class Called:
    """What a tool gave: the words for a model, the structure where there is one, whether it failed."""

    text: str
    structured: Any = None
    is_error: bool = False


async def call(tool: Tool, caller: Caller, arguments: Mapping[str, Any]) -> Called:
    """Call the tool with arguments as a client sends them. What it refuses, and what nobody foresaw, is a result."""
    if not caller.scope.includes(tool.scope):
        return await refuse(tool, caller, "insufficient_scope", scope_missing(tool, caller)[0])
    running = Call(tool, caller, _trail, Progress(_unreported)).run(arguments)
    # A write that has begun goes on to its end and its entry, though nobody waits for it any more.
    try:
        result = await (running if tool.read_only else asyncio.shield(asyncio.create_task(running)))
    except Exception:  # as at the endpoint: whoever called is told where to look, and nothing of what happened
        logger.exception("The tool %s failed", tool.name)
        return Called(f"{tool.name} failed on our side. It is in the log.", is_error=True)
    if isinstance(result, CallToolResult):
        said = [block.text for block in result.content if isinstance(block, TextContent)]
        return Called("\n".join(said), result.structured_content, bool(result.is_error))
    structured = result.model_dump(mode="json", by_alias=True)
    text = tool.text(result) if tool.text else result.model_dump_json(by_alias=True)
    return Called(text, {BARE: structured} if tool.gives_bare else structured)


async def refuse(tool: Tool, caller: Caller, code: str, message: str) -> Called:
    """Answer a call that is not to be made, and record that it was refused."""
    await _trail.add(
        partial(audit.entry, ACTION, caller=caller, tool=tool.name, outcome=Outcome.REFUSED, error_code=code)
    )
    return Called(message, is_error=True)


async def _unreported(done: float, total: float | None, message: str | None) -> None:
    """Nobody watches how far it is."""
