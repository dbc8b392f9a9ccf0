"""The REST routes of workflows."""

from mcp_gateway.rest.routes import REST_ONLY, api

WORKFLOWS = "agents/{agentId}/workflows"
WORKFLOW = f"{WORKFLOWS}/{{workflowId}}"

api.add("GET", WORKFLOWS, "workflowsList")
api.add("POST", WORKFLOWS, "workflowCreate")
api.add("GET", WORKFLOW, "workflowGet")
api.add("DELETE", WORKFLOW, "workflowDelete", server=REST_ONLY)
api.add("POST", f"{WORKFLOW}/publish", "workflowPublish")
