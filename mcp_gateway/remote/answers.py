"""Remote servers as the REST API shows them: of a secret, that there is one."""

from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from pydantic import Field

from mcp_gateway.models import RemoteCall, RemoteServer, RemoteTool
from mcp_gateway.remote.badges import badge, own_connection, trouble
from mcp_gateway.remote.catalogue import Example
from mcp_gateway.remote.probe import Report
from mcp_gateway.remote.services.calls import Health, ServerHealth
from mcp_gateway.remote.services.servers import Edited
from mcp_gateway.remote.shapes import AuthTypeName, ClientModeName, TransportName
from mcp_gateway.shapes import Moment, PageOf, Result
from security.redact import REDACTED

StatusName = Literal["Connected", "Connection error", "Not connected", "Disabled"]
OutcomeName = Literal["ok", "tool_error", "failed", "cancelled"]


class LastTest(Result):
    """How the server's last test ended."""

    at: Moment
    code: str = Field(description="What was wrong, by its code; empty where nothing was.")
    message: str


class RemoteServerShape(Result):
    """`status` is the caller's own; `problem` says in words what is wrong, where something is."""

    id: int
    organization_id: UUID
    name: str
    slug: str
    url: str
    transport: TransportName
    auth_type: AuthTypeName
    headers: dict[str, str] = Field(description="The names, with [REDACTED] for each value.")
    client_mode: ClientModeName | None
    client_id: str | None
    client_secret: str | None = Field(description="[REDACTED] where there is one.")
    scopes: str | None
    enabled: bool
    hold_changes: bool
    status: StatusName
    problem: str | None
    connect_url: str | None = Field(description="With authType oauth: the page where you connect, for your browser.")
    tool_count: int
    last_test: LastTest | None
    discovered_at: Moment | None
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, server: RemoteServer) -> "RemoteServerShape":
        """From a server as the services give it."""
        connection = own_connection(server)
        return cls.model_validate(
            {
                "id": server.pk,
                "organization_id": server.organization.uid,
                "name": server.name,
                "slug": server.slug,
                "url": server.url,
                "transport": server.transport,
                "auth_type": server.auth_type,
                "headers": dict.fromkeys(server.header_names, REDACTED),
                "client_mode": server.client_mode or None,
                "client_id": server.client_id or None,
                "client_secret": REDACTED if server.has_client_secret else None,
                "scopes": server.scopes or None,
                "enabled": server.enabled,
                "hold_changes": server.hold_changes,
                "status": badge(server, connection).value,
                "problem": trouble(server, connection) or None,
                "connect_url": _connect_url(server) if server.needs_sign_in else None,
                "tool_count": server.tool_count,
                "last_test": _last_test(server),
                "discovered_at": server.discovered_at,
                "created_at": server.created_at,
                "updated_at": server.updated_at,
            }
        )


class EditedServerShape(RemoteServerShape):
    dropped_secrets: list[str] = Field(description="Stored secrets that the new address or client left behind.")

    @classmethod
    def after(cls, edited: Edited) -> "EditedServerShape":
        shown = RemoteServerShape.of(edited.server).model_dump()
        return cls.model_validate(shown | {"dropped_secrets": list(edited.dropped)})


class RemoteServerPage(PageOf[RemoteServerShape]):
    pass


class ReportShape(Result):
    """What came of a test. A server that does not answer is a result, not an error of this request."""

    ok: bool
    code: str | None
    message: str
    tools: list[str] = Field(description="The names of the tools discovered.")
    protocol_version: str | None
    server_info: dict[str, Any] | None
    seconds: float

    @classmethod
    def of(cls, report: Report) -> "ReportShape":
        return cls(
            ok=report.ok,
            code=report.code,
            message=report.message,
            tools=[str(tool.get("name", "")) for tool in report.tools],
            protocol_version=report.protocol_version or None,
            server_info=report.server_info or None,
            seconds=round(report.seconds, 3),
        )


class RemoteToolShape(Result):
    """A tool as its server describes it, and what admins decided about it."""

    id: int
    name: str
    definition: dict[str, Any] = Field(description="The protocol's Tool object.")
    digest: str = Field(description="Of the description to be accepted, where one waits.")
    enabled: bool
    ask_first: bool
    held: bool = Field(description="Whether it is kept back until an admin accepts it.")
    held_definition: dict[str, Any] | None = Field(description="What it is described as by now, where that waits.")
    changed_at: Moment | None = Field(description="When it changed or came, until an admin accepts that.")
    first_seen_at: Moment

    @classmethod
    def of(cls, tool: RemoteTool) -> "RemoteToolShape":
        return cls(
            id=tool.pk,
            name=tool.name,
            definition=tool.definition,
            digest=tool.held_digest or tool.digest,
            enabled=tool.enabled,
            ask_first=tool.ask_first,
            held=bool(tool.held_digest),
            held_definition=tool.held,
            changed_at=tool.changed_at,
            first_seen_at=tool.first_seen_at,
        )


class RemoteToolPage(PageOf[RemoteToolShape]):
    pass


class RemoteCallShape(Result):
    tool: str
    at: Moment
    duration_ms: float
    outcome: OutcomeName
    error_code: str | None
    user_id: UUID | None

    @classmethod
    def of(cls, call: RemoteCall) -> "RemoteCallShape":
        """From a row with its user at hand."""
        return cls.model_validate(
            {
                "tool": call.tool,
                "at": call.at,
                "duration_ms": call.duration_ms,
                "outcome": call.outcome,
                "error_code": call.error_code or None,
                "user_id": call.user.uid if call.user else None,
            }
        )


class RemoteCallPage(PageOf[RemoteCallShape]):
    pass


class HealthShape(Result):
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None

    @classmethod
    def of(cls, health: Health) -> "HealthShape":
        return cls(calls=health.calls, errors=health.errors, p50_ms=health.p50_ms, p95_ms=health.p95_ms)


class ServerHealthShape(Result):
    """Everybody's calls in the last 24 hours and 7 days."""

    day: HealthShape
    week: HealthShape
    last_success_at: Moment | None

    @classmethod
    def of(cls, health: ServerHealth) -> "ServerHealthShape":
        return cls(
            day=HealthShape.of(health.day), week=HealthShape.of(health.week), last_success_at=health.last_success_at
        )


class ExampleShape(Result):
    slug: str
    name: str
    description: str
    url: str
    transport: TransportName
    auth_type: AuthTypeName

    @classmethod
    def of(cls, example: Example) -> "ExampleShape":
        return cls.model_validate(example.model_dump())


class Catalogue(Result):
    items: list[ExampleShape]


def _connect_url(server: RemoteServer) -> str:
    """A sign-in is bound to the browser that begins it, so that it cannot begin here."""
    return f"{settings.PUBLIC_URL}{reverse('mcp_gateway:remote-server', args=[server.pk])}"


def _last_test(server: RemoteServer) -> LastTest | None:
    if server.tested_at is None:
        return None
    return LastTest(at=server.tested_at, code=server.test_code, message=server.test_message)
