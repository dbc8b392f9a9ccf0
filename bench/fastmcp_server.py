"""What we compare with: FastMCP with one trivial tool, no authentication, no database."""

import sys

import uvicorn
from fastmcp import FastMCP  # type: ignore[import-not-found]  # is in an environment of its own

mcp = FastMCP("bench")


@mcp.tool(name="ping")  # type: ignore[untyped-decorator]
def ping() -> dict[str, str]:
    """Answer."""
    return {"answer": "pong"}


if __name__ == "__main__":
    app = mcp.http_app(path="/mcp", stateless_http=True, json_response=True)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", log_level="error")
