"""The REST routes of workflows; those of files come with them. Below, those that the contract does not have."""

from mcp_gateway.rest.routes import REST_ONLY, api
from workflows import api_files  # noqa: F401  # adds its routes

WORKFLOWS = "agents/{agentId}/workflows"
WORKFLOW = f"{WORKFLOWS}/{{workflowId}}"

api.add("GET", WORKFLOWS, "workflowsList")
api.add("POST", WORKFLOWS, "workflowCreate")
api.add("GET", WORKFLOW, "workflowGet")
api.add("DELETE", WORKFLOW, "workflowDelete", server=REST_ONLY)
api.add("POST", f"{WORKFLOW}/publish", "workflowPublish")

EXECUTION = "executions/{executionId}"

api.add("POST", "agents/{agentId}/execute", "agentExecutePost")
api.add("POST", f"{WORKFLOW}/execute", "workflowExecute")
api.add("POST", f"{WORKFLOW}/sync-execution", "workflowSyncExecution")
api.add("GET", "executions", "executionsList")
api.add("GET", EXECUTION, "executionGet")
api.add("GET", f"{EXECUTION}/activities", "executionActivitiesGet")
api.add("POST", f"{EXECUTION}/status", "executionStatusUpdate")
api.add("POST", f"{EXECUTION}/user-messages", "executionUserMessagesAdd")

COMMENT = f"{EXECUTION}/comments/{{commentId}}"
LABEL = "labels/{labelId}"

api.add("GET", "labels", "labelsList", server=REST_ONLY)
api.add("POST", "labels", "labelCreate", server=REST_ONLY)
api.add("PATCH", LABEL, "labelUpdate", server=REST_ONLY)
api.add("DELETE", LABEL, "labelDelete", server=REST_ONLY)
api.add("PUT", f"{EXECUTION}/labels", "executionLabelsSet", server=REST_ONLY)
api.add("POST", f"{EXECUTION}/comments", "executionCommentsAdd", server=REST_ONLY)
api.add("PATCH", COMMENT, "executionCommentsUpdate", server=REST_ONLY)
api.add("DELETE", COMMENT, "executionCommentsDelete", server=REST_ONLY)
api.add("GET", f"{WORKFLOW}/diff", "workflowDiff", server=REST_ONLY)
