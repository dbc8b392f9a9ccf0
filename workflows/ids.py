"""The ids by which callers name the rows of workflows."""

from mcp_gateway.shapes import uuid_id

WorkflowId = uuid_id("The id of a version, as workflowsList gives it.")
