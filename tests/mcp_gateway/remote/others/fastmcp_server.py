"""A server on FastMCP, in the environment that it is measured in: `fastmcp_server.py http|sse`. It prints its port."""

import socket
import sys

import uvicorn
from fastmcp import Context, FastMCP
from fastmcp.utilities.types import Image
from pydantic import BaseModel

server: FastMCP = FastMCP("fastmcp")


class Sum(BaseModel):
    total: int


@server.tool
def add(a: int, b: int) -> Sum:
    """The sum."""
    return Sum(total=a + b)


@server.tool
def picture() -> Image:
    """A picture of nothing."""
    return Image(data=b"\x89PNG\r\n\x1a\n", format="png")


@server.tool
async def count(to: int, context: Context) -> str:
    """Counting, with progress."""
    for at in range(1, to + 1):
        await context.report_progress(at, to)
    return f"counted to {to}"


@server.tool
def refuse() -> str:
    """It never works."""
    raise ValueError("No.")


door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
application = server.http_app(transport=sys.argv[1], path="/mcp")
uvicorn.Server(uvicorn.Config(application, log_level="warning")).run(sockets=[door])
