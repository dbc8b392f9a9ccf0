"""The tools of workflows at /mcp, one module a subject."""

from workflows.mcp_tools import versions  # noqa: F401  # registers its tools
