"""Offering tools to an agent and calling them, as the loop of a turn does."""

from collections.abc import Callable, Mapping
from typing import Any

from asgiref.sync import async_to_sync

from accounts.caller import Caller
from agents_hub.chat.sources import CallContext, ChatTool, Offered, ToolOutcome, sources
from agents_hub.models import Agent


def offered(source: str, caller: Caller, agent: Agent, *subjects: object) -> Offered:
    found = sources.find(source)
    assert found is not None
    return async_to_sync(found.offer)(caller, agent, [str(one) for one in subjects])


def tools_by_name(given: Offered) -> dict[str, ChatTool]:
    return {tool.name: tool for tool in given.tools}


def called(
    tool: ChatTool,
    caller: Caller,
    /,
    *,
    key: str = "turn 1, call 1",
    say: Callable[[str], None] | None = None,
    **arguments: Any,
) -> ToolOutcome:
    context = CallContext(caller, "a conversation", key)
    if say is not None:
        context = CallContext(caller, "a conversation", key, say=say)
    return async_to_sync(_perform)(tool, arguments, context)


async def _perform(tool: ChatTool, arguments: Mapping[str, Any], context: CallContext) -> ToolOutcome:
    return await tool.perform(arguments, context)
