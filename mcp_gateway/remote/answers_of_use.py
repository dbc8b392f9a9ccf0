"""Connections and calls as the REST API shows them. Tokens are never among it."""

from typing import Any

from pydantic import Field

from mcp_gateway.models import RemoteConnection
from mcp_gateway.remote.answers import StatusName
from mcp_gateway.remote.badges import badge, trouble
from mcp_gateway.remote.results import RemoteResult
from mcp_gateway.shapes import Moment, PageOf, Result


class RemoteConnectionShape(Result):
    """The caller's own connection to a server. Tokens are never shown."""

    server_id: int
    server_name: str
    status: StatusName
    problem: str | None
    scope: str | None
    expires_at: Moment | None = Field(description="When the access token ends; it is refreshed before that.")
    connected_at: Moment
    refreshed_at: Moment | None
    last_used_at: Moment | None

    @classmethod
    def of(cls, connection: RemoteConnection) -> "RemoteConnectionShape":
        """From a row with its server at hand."""
        server = connection.server
        return cls.model_validate(
            {
                "server_id": server.pk,
                "server_name": server.name,
                "status": badge(server, connection).value,
                "problem": trouble(server, connection) or None,
                "scope": connection.scope or None,
                "expires_at": connection.expires_at,
                "connected_at": connection.connected_at,
                "refreshed_at": connection.refreshed_at,
                "last_used_at": connection.last_used_at,
            }
        )


class RemoteConnectionPage(PageOf[RemoteConnectionShape]):
    pass


class Disconnection(Result):
    revoked: bool = Field(description="Whether the provider took back what it gave; if not, end it there as well.")


class CallAnswer(Result):
    """What the tool answered, as the protocol has it. An error of the tool's own is a result with isError."""

    content: list[dict[str, Any]]
    structured_content: Any
    is_error: bool
    notes: list[str] = Field(description="What was left out or cut, in words.")

    @classmethod
    def of(cls, result: RemoteResult) -> "CallAnswer":
        return cls(
            content=[dict(block) for block in result.content],
            structured_content=result.structured,
            is_error=result.is_error,
            notes=list(result.notes),
        )
