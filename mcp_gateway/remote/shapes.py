"""Remote servers on the wire: what goes in to make, change and test them. Secrets go in and never come out."""

from typing import Annotated, Any, Literal

from pydantic import Field

from mcp_gateway.shapes import Arguments, OrganizationId, PageArguments, Secret

TransportName = Literal["streamable_http", "sse"]
AuthTypeName = Literal["none", "api_key", "oauth"]
ClientModeName = Literal["known_credentials", "dynamic", "cimd"]

LARGEST_ID = 2**63 - 1
ServerId = Annotated[int, Field(ge=1, le=LARGEST_ID, description="The server's id.")]
ToolId = Annotated[
    int, Field(ge=1, le=LARGEST_ID, description="The tool's id, as the server's list of tools gives it.")
]
Name = Annotated[str, Field(min_length=1, max_length=100, description="What people know it by.")]
Url = Annotated[str, Field(min_length=1, max_length=2000, description="The address of its MCP endpoint.")]
SecretText = Annotated[Secret, Field(max_length=8192)]
HeaderName = Annotated[str, Field(min_length=1, max_length=100)]
Headers = Annotated[dict[HeaderName, SecretText], Field(max_length=20)]

KEPT = "[REDACTED] keeps a stored value; another address than before drops it."


class ServerFields(Arguments):
    """What making and changing a server share; a field left out keeps its value, or takes its default."""

    name: Name | None = None
    url: Url | None = None
    transport: TransportName | None = Field(None, description="streamable_http, unless the server is an old one.")
    auth_type: AuthTypeName | None = Field(
        None, description="api_key: one credential for all, in headers. oauth: each person signs in."
    )
    headers: Headers | None = Field(None, description=f"With authType api_key: all of them. {KEPT}")
    client_mode: ClientModeName | None = Field(
        None, description="With authType oauth: where the client comes from; known_credentials if not said."
    )
    client_id: Annotated[str, Field(max_length=500)] | None = Field(
        None, description="With clientMode known_credentials: as the provider gave it."
    )
    client_secret: SecretText | None = Field(
        None, description=f"With clientMode known_credentials, where the client has one. {KEPT}"
    )
    scopes: Annotated[str, Field(max_length=2000)] | None = Field(
        None, description="With authType oauth: separated by spaces; asked for in place of what the server suggests."
    )
    hold_changes: bool | None = Field(
        None, description="Whether a tool that changed, or came later, is offered only once an admin accepts it."
    )
    enabled: bool | None = Field(None, description="Whether its tools are offered.")


class CreateServer(ServerFields):
    organization_id: OrganizationId
    name: Name
    url: Url


class UpdateServer(ServerFields):
    server_id: ServerId


class ServerDraft(ServerFields):
    """A configuration to be tested before it is saved: a new server's, or a saved one's with changes."""

    organization_id: OrganizationId
    server_id: ServerId | None = Field(None, description="The server these are changes of; its secrets stay in place.")
    url: Url


class ListServers(PageArguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    search_name: Annotated[str, Field(max_length=100, description="Part of the name, in any case.")] | None = None
    sort_field: Literal["name", "created_at"] = "name"
    sort_direction: Literal["asc", "desc"] = "asc"


class ServersCatalogue(Arguments):
    organization_id: OrganizationId


class AddExample(Arguments):
    organization_id: OrganizationId
    slug: Annotated[str, Field(max_length=100, description="As the catalogue gives it.")]


class OneServer(Arguments):
    server_id: ServerId


class ListCalls(Arguments):
    server_id: ServerId
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 10


class ListTools(ListCalls):
    changed_only: bool = Field(False, description="Only those that changed, or came, and wait to be looked at.")


class SetToolPolicy(OneServer):
    tool_id: ToolId
    enabled: bool | None = Field(None, description="Whether it is offered.")
    ask_first: bool | None = Field(None, description="Whether somebody is asked before each use.")


class AcceptChange(OneServer):
    tool_id: ToolId
    digest: Annotated[str, Field(max_length=64, description="Of what you looked at, as the list of tools gives it.")]


class CallTool(OneServer):
    tool_id: ToolId
    arguments: dict[str, Any] = Field({}, description="As the tool's inputSchema asks for.")
    confirmed: bool = Field(False, description="That a person allowed this very call, of a tool marked askFirst.")


class ListConnections(Arguments):
    organization_id: OrganizationId | None = Field(None, description="Only this organization's; else all of yours.")
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 10
