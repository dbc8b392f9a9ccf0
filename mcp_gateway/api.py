"""The REST routes of the tools that belong to no product; those of remote servers come with them."""

from mcp_gateway.remote import api as remote_servers  # noqa: F401  # adds its routes
from mcp_gateway.remote import api_of_use as remote_use  # noqa: F401
from mcp_gateway.rest.routes import api

api.add("GET", "context", "getContext")
api.add("POST", "docs/search", "searchDocs")
api.add("POST", "schema/validate", "schemaValidate")
