"""The tools of the fake MCP server: one for each thing that a client has to cope with."""

import asyncio
from typing import Annotated

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import AcceptedElicitation, Elicit, ElicitationResult, Resolve
from mcp_types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from pydantic import BaseModel

# A sound and a picture of no content; whoever passes them on does not look.
BASE64 = "AAECAwQ="


class Shipping(BaseModel):
    street: str


def _street(order: str) -> Elicit[Shipping]:
    return Elicit(f"Where shall {order} go?", Shipping)


def add_tools(server: MCPServer, waiting: asyncio.Event, cancelled: asyncio.Event) -> None:
    """`waiting` is set when the call of `wait` has begun, `cancelled` when it was cancelled."""
    add = server.tool

    @add(title="Say again", annotations=ToolAnnotations(read_only_hint=True))
    def echo(text: str) -> str:
        """What was said."""
        return text

    @add()
    def number(value: int) -> dict[str, int]:
        """A number, structured."""
        return {"value": value}

    @add()
    def fail() -> str:
        """It never works."""
        raise ToolError("The printer is on fire.")

    @add()
    def everything() -> CallToolResult:
        """A block of each kind."""
        return CallToolResult(
            content=[
                TextContent(text="words"),
                ImageContent(data=BASE64, mime_type="image/png"),
                AudioContent(data=BASE64, mime_type="audio/wav"),
                ResourceLink(name="notes", uri="notes://1"),
                EmbeddedResource(resource=TextResourceContents(uri="notes://1", text="inside", mime_type="text/plain")),
            ],
            structured_content={"kinds": 5},
        )

    @add()
    def long_text(characters: int) -> str:
        """Much of it."""
        return "é" * characters

    @add()
    def big_picture(size: int) -> ImageContent:
        """A picture of about so many bytes."""
        return ImageContent(data="A" * (size * 4 // 3), mime_type="image/png")

    @add()
    async def count(to: int, context: Context) -> str:
        """Counting, with progress."""
        for at in range(1, to + 1):
            await context.report_progress(at, to, f"at {at}")
        return f"counted to {to}"

    @add()
    async def wait() -> str:
        """It goes on until it is cancelled."""
        waiting.set()
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return "done"

    @add()
    async def ship(order: str, to: Annotated[ElicitationResult[Shipping], Resolve(_street)]) -> str:
        """Asks where to."""
        return (
            f"{order} goes to {to.data.street}"
            if isinstance(to, AcceptedElicitation)
            else f"{order} stays: {to.action}"
        )

    @add()
    async def grow(name: str, context: Context) -> str:
        """Adds a tool of that name, and tells."""
        server.add_tool(lambda: name, name=name, description="New.")
        await context.session.send_tool_list_changed()
        await context.notify_tools_changed()
        return name
