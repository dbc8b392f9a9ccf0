"""The play button: connect once, list the tools, say what came of it. The database is neither read nor written."""

import time
from dataclasses import dataclass, field
from typing import Any

from mcp_gateway.remote.client import connect
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.targets import Target


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a test. `tools` are the definitions as the server gives them; `code` is empty where all is well."""

    ok: bool
    message: str
    code: Code | None = None
    tools: list[dict[str, Any]] = field(default_factory=list)
    protocol_version: str = ""
    server_info: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    error: RemoteError | None = None


async def probe(target: Target, *, deadline: float | None = None) -> Report:
    """What the server is like right now."""
    began = time.monotonic()
    try:
        async with connect(target, deadline=deadline) as session:
            tools = await session.list_tools()
    except RemoteError as error:
        return Report(ok=False, code=error.code, message=error.message, seconds=time.monotonic() - began, error=error)
    about = session.server_info
    return Report(
        ok=bool(tools),
        code=None if tools else Code.NO_TOOLS,
        message=_discovered(len(tools)),
        tools=[tool.model_dump(by_alias=True, mode="json", exclude_none=True) for tool in tools],
        protocol_version=session.protocol_version,
        server_info={} if about is None else about.model_dump(by_alias=True, mode="json", exclude_none=True),
        seconds=time.monotonic() - began,
    )


def _discovered(count: int) -> str:
    if not count:
        return "The server answers and has no tools. Perhaps it shows them only to those who sign in or have a key."
    return f"{count} {'tool' if count == 1 else 'tools'} discovered"
