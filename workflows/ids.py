"""The ids by which callers name the rows of workflows."""

from mcp_gateway.shapes import uuid_id

WorkflowId = uuid_id("The id of a version, as workflowsList gives it.")
ExecutionId = uuid_id("The execution's id, as executionsList gives it.")
LabelId = uuid_id("The label's id, as an execution's humanLabels give it.")
CommentId = uuid_id("The comment's id, as an execution's comments give it.")
ActivityId = uuid_id("The activity's id, as executionActivitiesGet gives it.")
