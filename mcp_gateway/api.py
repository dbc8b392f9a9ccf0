"""The REST routes of the tools that belong to no product."""

from mcp_gateway.rest.routes import api

api.add("GET", "context", "getContext")
api.add("POST", "docs/search", "searchDocs")
api.add("POST", "schema/validate", "schemaValidate")
