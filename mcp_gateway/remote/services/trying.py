"""Calling one tool of one server once: what a person does who tries it out, or a program without a model."""

from collections.abc import Mapping
from typing import Any

from accounts.caller import Caller
from accounts.errors import Conflict, DomainError, NotFound, Unavailable
from accounts.scopes import Scope
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import toolbox
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.results import RemoteResult
from mcp_gateway.remote.services import tools

# What somebody here has to do something about; the server itself would not be otherwise when asked again.
OURS_TO_MEND = frozenset(
    {Code.DISABLED, Code.NOT_CONNECTED, Code.CONNECTION_ERROR, Code.SCOPE_NEEDED, Code.ASK_FIRST, Code.REFUSED_ADDRESS}
)


async def call_tool(
    caller: Caller, *, server_id: int, tool_id: int, arguments: Mapping[str, Any], confirmed: bool = False
) -> RemoteResult:
    """The tool's answer to the caller, with their own credential.

    `Conflict` where the server or tool is not to be used so, `Unavailable` where the server cannot be asked, each with
    the code of what is wrong.
    """
    caller.require(Scope.WRITE)
    name = await in_domain(_find, caller, server_id, tool_id)
    try:
        return await call_named(caller, server_id, name, arguments, confirmed=confirmed)
    except RemoteError as error:
        raise refusal(error) from None


async def call_named(
    caller: Caller, server_id: int, name: str, arguments: Mapping[str, Any], *, confirmed: bool
) -> RemoteResult:
    """The answer of the tool that the server calls so; the server is asked even while answers leave it alone.

    `RemoteError` where it cannot be asked, `Conflict` where it does not offer the tool.
    """
    async with toolbox.open(caller, [server_id], even_failing=True) as box:
        for problem in box.problems:
            raise RemoteError(problem.code, problem.message)
        offered = next((tool.name for tool in box.tools if tool.remote_name == name), None)
        if offered is None:
            raise Conflict(
                "The tool is switched off, waits for an admin to accept it, or is no longer listed.",
                code="not_offered",
            )
        return await box.call(offered, arguments, confirmed=confirmed)


def refusal(error: RemoteError) -> DomainError:
    """The same in the domain's terms."""
    if error.code is Code.NOT_FOUND:
        return NotFound(error.message)
    if error.code in OURS_TO_MEND:
        return Conflict(error.message, code=error.code)
    wait = {"retry_after": round(error.retry_after)} if error.retry_after else {}
    return Unavailable(error.message, code=error.code, data=wait)


def _find(caller: Caller, server_id: int, tool_id: int) -> str:
    return tools.find_tool(caller, server_id=server_id, tool_id=tool_id).name
