"""The REST routes of workflows; those of files come with them."""

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
