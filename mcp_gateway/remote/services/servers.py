"""Remote servers: everybody in the organization sees them; its admins add, change, enable and delete them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Prefetch, QuerySet
from django.utils.text import slugify

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import administered, organization_of, organizations_of
from dashboard.numbered_pages import NumberedPage, numbered, ordering
from mcp_gateway.models import RemoteConnection, RemoteHealth, RemoteServer, RemoteSignIn, RemoteTool
from mcp_gateway.models.remote_servers import RemoteServerQuerySet
from mcp_gateway.remote import settling
from mcp_gateway.remote.problems import Code, Problem, RemoteError
from mcp_gateway.remote.services import configuration, credentials
from mcp_gateway.remote.shapes import CreateServer, UpdateServer
from mcp_gateway.remote.targets import Target
from security import audit

SLUG_LENGTH = 24


@dataclass(frozen=True, slots=True)
class Edited:
    """A server after an edit, and the names of stored secrets that its new address or client dropped."""

    server: RemoteServer
    dropped: tuple[str, ...]


def list_servers(
    caller: Caller,
    *,
    organization_id: UUID | None = None,
    search_name: str | None = None,
    sort_field: str = "name",
    sort_direction: str = "asc",
    page: int = 1,
    page_size: int = 25,
) -> NumberedPage[RemoteServer]:
    """Servers of one organization or of all the caller's, each with `tool_count` and the caller's connection."""
    caller.require(Scope.READ)
    servers = shown(caller, RemoteServer.objects.filter(organization_id__in=organizations_of(caller, organization_id)))
    if search_name:
        servers = servers.filter(name__icontains=search_name)
    return numbered(servers, order=ordering(sort_field, sort_direction), number=page, size=page_size)


def find_server(caller: Caller, *, server_id: int) -> RemoteServer:
    """The server with `tool_count`, and the caller's connection for `badges`."""
    caller.require(Scope.READ)
    server = shown(caller, RemoteServer.objects.for_caller(caller)).filter(pk=server_id).first()
    if server is None:
        raise not_found()
    return server


def create_server(caller: Caller, *, server: CreateServer) -> RemoteServer:
    organization = organization_of(caller, server.organization_id)
    row = RemoteServer(created_by_id=caller.user_id)
    with transaction.atomic():
        row.organization = administered(caller, organization.pk)
        configuration.write_fields(row, server)
        row.slug = slugify(row.name)[:SLUG_LENGTH].strip("-_") or "server"
        _check_name(row)
        row.save()
        audit.record("remote_server.create", caller=caller, target=target(row), detail=_settings(row))
    return find_server(caller, server_id=row.pk)


def update_server(caller: Caller, *, change: UpdateServer) -> Edited:
    """Change what was sent and keep the rest. Another address or another client ends people's connections."""
    with transaction.atomic():
        row = locked_for_admin(caller, change.server_id)
        before = _identity(row)
        dropped = configuration.write_fields(row, change)
        _check_name(row)
        if _identity(row) != before:
            _forget_what_belonged_to_the_old_one(row, moved=_identity(row)[0] != before[0])
        if not row.hold_changes:
            _stop_holding(row)
        if row.fault_code:
            settling.try_again_soon(row.pk)
        row.fault_code = row.fault = row.test_code = row.test_message = ""
        row.tested_at = None
        row.revision += 1
        row.save()
        RemoteHealth.objects.filter(server=row).delete()
        changed = sorted(change.model_fields_set - {"server_id"})
        detail = _settings(row) | {"changed": changed, "dropped": dropped}
        audit.record("remote_server.update", caller=caller, target=target(row), detail=detail)
    return Edited(find_server(caller, server_id=row.pk), tuple(dropped))


def set_enabled(caller: Caller, *, server_id: int, enabled: bool) -> RemoteServer:
    """Offer the server's tools, or stop offering them; nothing else changes and nobody's connection ends."""
    with transaction.atomic():
        row = locked_for_admin(caller, server_id)
        if row.enabled != enabled:
            row.enabled = enabled
            row.revision += 1
            row.save(update_fields=["enabled", "revision", "updated_at"])
            action = "remote_server.enable" if enabled else "remote_server.disable"
            audit.record(action, caller=caller, target=target(row), detail={"name": row.name})
    return find_server(caller, server_id=server_id)


def disable_for_operator(caller: Caller, chosen: QuerySet[RemoteServer]) -> int:
    """Disable servers whosesoever they are, for the admin. Returns how many were enabled."""
    with transaction.atomic():
        rows = list(chosen.select_for_update().filter(enabled=True).order_by("pk"))
        for row in rows:
            row.enabled = False
            row.revision += 1
            row.save(update_fields=["enabled", "revision", "updated_at"])
            audit.record("remote_server.disable", caller=caller, target=target(row), detail={"name": row.name})
    return len(rows)


def delete_server(caller: Caller, *, server_id: int) -> None:
    """Delete the server with its tools, its calls and everybody's connections."""
    with transaction.atomic():
        row = locked_for_admin(caller, server_id)
        connections = row.connections.count()
        detail = {"name": row.name, "url": row.url, "connections": connections}
        audit.record("remote_server.delete", caller=caller, target=target(row), detail=detail)
        row.delete()


def targets_for(caller: Caller, server_ids: Sequence[int]) -> list[Target | Problem]:
    """Where to connect and with what, in the order asked for and each server once; or why it cannot be used."""
    caller.require(Scope.READ)
    wanted = list(dict.fromkeys(server_ids))
    own = RemoteServer.objects.for_caller(caller).filter(pk__in=wanted).select_related("health")
    found = own.prefetch_related(_connection_of(caller))
    servers = {server.pk: server for server in found}
    return [
        credentials.target_of(servers[pk])
        if pk in servers
        else Problem(pk, f"Server {pk}", Code.NOT_FOUND, "There is no such server in your organizations.")
        for pk in wanted
    ]


def closed_since(caller: Caller, opened: Target, tool: str) -> RemoteError | None:
    """Why a tool of a server that was open to the caller is not to be called any more; none where it may be."""
    connection_id = opened.credential.connection_id
    own = RemoteConnection.objects.for_caller(caller).filter(pk=connection_id or 0, server=OuterRef("pk"))
    off = RemoteTool.objects.filter(server=OuterRef("pk"), name=tool, enabled=False)
    rows = RemoteServer.objects.for_caller(caller).filter(pk=opened.server_id or 0)
    row = rows.values_list("enabled", "url", Exists(own), Exists(off)).first()
    enabled, url, is_connected, is_off = row or (False, "", False, False)
    if row is None:
        return RemoteError(Code.NOT_FOUND, "There is no such server in your organizations any more.")
    if not enabled:
        return RemoteError(Code.DISABLED, "This server was disabled meanwhile. An admin can enable it.")
    if is_off:
        return RemoteError(Code.DISABLED, "This tool was switched off meanwhile. An admin can switch it on.")
    if url != opened.url:
        return RemoteError(Code.NOT_FOUND, "This server's address was changed meanwhile. Its tools may be others now.")
    if connection_id is not None and not is_connected:
        said = f"You are no longer connected to {opened.name}. Connect your account."
        return RemoteError(Code.NOT_CONNECTED, said)
    return None


def shown(caller: Caller, servers: RemoteServerQuerySet) -> RemoteServerQuerySet:
    """The servers with what a card shows of them, and no secret read."""
    with_connection = servers.with_tool_counts().prefetch_related(_connection_of(caller, secrets=False))
    return with_connection.select_related("organization", "health").defer("headers")


def locked_for_admin(caller: Caller, server_id: int) -> RemoteServer:
    """The server, it and its organization locked, where the caller is an admin; inside a transaction."""
    servers = RemoteServer.objects.for_caller(caller)
    organization_id = servers.filter(pk=server_id).values_list("organization_id", flat=True).first()
    if organization_id is None:
        raise not_found()
    organization = administered(caller, organization_id)
    row = RemoteServer.objects.select_for_update().filter(pk=server_id).first()
    if row is None:  # deleted while we waited for the organization
        raise not_found()
    row.organization = organization
    return row


def with_secrets(caller: Caller, server_id: int) -> RemoteServer:
    """The server with the caller's connection, for `credentials`."""
    servers = RemoteServer.objects.for_caller(caller).filter(pk=server_id).prefetch_related(_connection_of(caller))
    server = servers.first()
    if server is None:
        raise not_found()
    return server


def target(server: RemoteServer) -> str:
    """How the audit names it."""
    return target_name(server.pk)


def target_name(server_id: int) -> str:
    return f"remote_server:{server_id}"


def not_found() -> NotFound:
    return NotFound("There is no such server in your organizations. It may have been deleted.")


def _connection_of(caller: Caller, *, secrets: bool = True) -> "Prefetch[str]":
    connections = RemoteConnection.objects.for_caller(caller)
    if not secrets:
        connections = connections.defer("provider", "access_token", "refresh_token")
    return Prefetch("connections", connections, to_attr="own_connections")


def _identity(row: RemoteServer) -> tuple[tuple[str, str, int], tuple[str, str, str]]:
    """What people's connections were made for: the address's origin, and the client that we are there."""
    return configuration.origin(row.url), (row.auth_type, row.client_mode, row.client_id)


def _forget_what_belonged_to_the_old_one(row: RemoteServer, *, moved: bool) -> None:
    """Tokens and registrations go to nobody but who gave them; the tools of another server are other tools."""
    row.connections.all().delete()
    row.clients.all().delete()
    RemoteSignIn.objects.filter(server=row).delete()
    if moved:
        row.tools.all().delete()
        row.discovered_at = None


def _stop_holding(row: RemoteServer) -> None:
    """Offer the tools that were held back. That they changed stays to be seen."""
    held = row.tools.exclude(held_digest="")
    held.exclude(held_digest=F("digest")).update(previous=F("definition"))
    held.update(definition=F("held"), digest=F("held_digest"), held=None, held_digest="")


def _check_name(row: RemoteServer) -> None:
    """The organization is locked, so that nobody takes the name in between."""
    if RemoteServer.objects.filter(organization=row.organization, name=row.name).exclude(pk=row.pk).exists():
        raise Conflict(
            f"The organization has a server named “{row.name}” already.", code="name_taken", data={"field": "name"}
        )


def _settings(row: RemoteServer) -> dict[str, object]:
    """The settings for the audit: of secrets, that they are there."""
    return {
        "name": row.name,
        "url": row.url,
        "transport": row.transport,
        "auth_type": row.auth_type,
        "header_names": row.header_names,
        "client_mode": row.client_mode,
        "client_id": row.client_id,
        "enabled": row.enabled,
        "hold_changes": row.hold_changes,
    }
