"""The tools of workflows at /mcp, one module a subject."""

from workflows.mcp_tools import executions, files, marks, versions  # noqa: F401  # register their tools
