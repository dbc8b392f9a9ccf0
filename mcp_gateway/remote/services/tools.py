"""The tools of remote servers: what each server lists, what changed since, and what admins decided about it."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from dashboard.numbered_pages import NumberedPage, numbered
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote.services.servers import find_server, locked_for_admin, target
from security import audit
from security.storable import storable

# More would fill no model's context; beyond it tools are left out, those listed first stay.
MOST_TOOLS = 1_000
MOST_NAME = 500
MOST_DEFINITION_BYTES = 131_072
# What may be another each time, or is for the eye alone: no change that anybody has to look at.
NOT_COMPARED = frozenset({"_meta", "icons"})
SEEN_EVERY = timedelta(days=1)
# Where each person signs in, each may be shown other tools: one is gone when nobody was shown it for this long.
GONE_AFTER = timedelta(days=7)

Definition = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds for a tool: whether it is offered, and whether somebody is asked before each use."""

    enabled: bool = True
    ask_first: bool = False
    held: bool = False

    @property
    def offered(self) -> bool:
        return self.enabled and not self.held


def note_discovered(server_id: int, definitions: Sequence[Definition]) -> dict[str, Decision]:
    """Remember what a server lists, and say what holds for each tool, by its name.

    A tool that is not in the answer is not to be offered: the server was deleted, or listed more than is remembered.
    Called at each discovery; where nothing changed it reads once and writes nothing.
    """
    listed = _listed(definitions)
    rows = _rows(server_id)
    now = timezone.now()
    if _has_news(rows, listed, now):
        rows = _store(server_id, listed, now)
    return {name: _decision(rows[name]) for name in listed if name in rows}


def decisions(server_ids: Iterable[int]) -> dict[int, dict[str, Decision]]:
    """What holds now for the tools of each server, whenever they were discovered."""
    found: dict[int, dict[str, Decision]] = {pk: {} for pk in server_ids}
    for row in RemoteTool.objects.filter(server_id__in=found).defer("definition", "previous", "held"):
        found[row.server_id][row.name] = _decision(row)
    return found


def list_tools(
    caller: Caller, *, server_id: int, changed_only: bool = False, page: int = 1, page_size: int = 25
) -> NumberedPage[RemoteTool]:
    """The server's tools by name; with `changed_only` those that wait to be looked at."""
    tools = find_server(caller, server_id=server_id).tools.filter(gone_at=None)
    if changed_only:
        tools = tools.exclude(changed_at=None)
    return numbered(tools, order=("name", "id"), number=page, size=page_size)


def changes_to_look_at(server_ids: Iterable[int]) -> dict[int, int]:
    """How many tools of each server changed or came later and were not accepted yet; servers with none are left out."""
    waiting = RemoteTool.objects.filter(server_id__in=list(server_ids), gone_at=None).exclude(changed_at=None)
    return dict(waiting.order_by().values_list("server_id").annotate(Count("pk")))


def find_tool(caller: Caller, *, server_id: int, tool_id: int) -> RemoteTool:
    tool = find_server(caller, server_id=server_id).tools.filter(pk=tool_id).first()
    if tool is None:
        raise _not_found()
    return tool


def set_tool_policy(
    caller: Caller, *, server_id: int, tool_id: int, enabled: bool | None = None, ask_first: bool | None = None
) -> RemoteTool:
    """Switch a tool on or off, or have people asked before each use. What is None stays."""
    with transaction.atomic():
        server = locked_for_admin(caller, server_id)
        row = _locked(server, tool_id)
        before = (row.enabled, row.ask_first)
        row.enabled = row.enabled if enabled is None else enabled
        row.ask_first = row.ask_first if ask_first is None else ask_first
        if (row.enabled, row.ask_first) != before:
            row.save(update_fields=["enabled", "ask_first"])
            _next_revision(server)
            detail = {"tool": row.name, "enabled": row.enabled, "ask_first": row.ask_first}
            audit.record("remote_server.tool_policy", caller=caller, target=target(server), detail=detail)
    return row


def accept_change(caller: Caller, *, server_id: int, tool_id: int, digest: str) -> RemoteTool:
    """Accept the tool as described under `digest`, which is what the admin saw; `Conflict` if it changed again."""
    with transaction.atomic():
        server = locked_for_admin(caller, server_id)
        row = _locked(server, tool_id)
        if digest != (row.held_digest or row.digest):
            raise Conflict(f"“{row.name}” has changed again since. Look at it as it is now.", code="changed_again")
        if row.held is not None:
            row.definition, row.digest = row.held, row.held_digest
            row.held, row.held_digest = None, ""
        if row.changed_at is not None:
            row.changed_at = row.previous = None
            row.save(update_fields=["definition", "digest", "previous", "held", "held_digest", "changed_at"])
            _next_revision(server)
            detail = {"tool": row.name, "digest": digest}
            audit.record("remote_server.accept_change", caller=caller, target=target(server), detail=detail)
    return row


def digest_of(definition: Definition) -> str:
    """SHA-256 of what a model and a person read of the tool, however the server orders and spaces it."""
    compared = {name: value for name, value in definition.items() if name not in NOT_COMPARED and value is not None}
    if isinstance(hints := compared.get("annotations"), Mapping):
        # A hint that is not given and one given as null say the same.
        compared["annotations"] = {name: value for name, value in hints.items() if value is not None}
    canonical = json.dumps(compared, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _listed(definitions: Sequence[Definition]) -> dict[str, dict[str, Any]]:
    """What can be remembered, by name; of two with one name the first."""
    listed: dict[str, dict[str, Any]] = {}
    for definition in definitions:
        kept: dict[str, Any] = storable({key: value for key, value in definition.items() if key != "_meta"})
        name = kept.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= MOST_NAME:
            continue
        if len(listed) < MOST_TOOLS and len(json.dumps(kept)) <= MOST_DEFINITION_BYTES:
            listed.setdefault(name, kept)
    return listed


def _rows(server_id: int) -> dict[str, RemoteTool]:
    return {
        row.name: row for row in RemoteTool.objects.filter(server_id=server_id).defer("definition", "previous", "held")
    }


def _has_news(rows: Mapping[str, RemoteTool], listed: Mapping[str, Definition], now: datetime) -> bool:
    return any(
        name not in rows or _is_stale(rows[name], digest_of(definition), now) for name, definition in listed.items()
    ) or any(row.gone_at is None and name not in listed for name, row in rows.items())


def _is_stale(row: RemoteTool, digest: str, now: datetime) -> bool:
    return digest != (row.held_digest or row.digest) or row.gone_at is not None or now - row.seen_at > SEEN_EVERY


def _store(server_id: int, listed: Mapping[str, dict[str, Any]], now: datetime) -> dict[str, RemoteTool]:
    with transaction.atomic():
        server = RemoteServer.objects.select_for_update().filter(pk=server_id).first()
        if server is None:
            return {}
        rows = _rows(server_id)
        for name, definition in listed.items():
            if name in rows:
                _note(server, rows[name], definition, now)
            else:
                rows[name] = _add(server, name, definition, now)
        missing = server.tools.filter(gone_at=None).exclude(name__in=listed)
        if server.needs_sign_in:
            missing = missing.filter(seen_at__lt=now - GONE_AFTER)
        missing.update(gone_at=now)
        server.discovered_at = now
        server.save(update_fields=["discovered_at"])
    return rows


def _add(server: RemoteServer, name: str, definition: dict[str, Any], now: datetime) -> RemoteTool:
    """A tool seen for the first time. One that comes after the others is news, and held where changes are."""
    digest = digest_of(definition)
    row = RemoteTool(server=server, name=name, definition=definition, digest=digest, first_seen_at=now, seen_at=now)
    if server.discovered_at is not None:
        row.changed_at = now
        if server.hold_changes:
            row.held, row.held_digest = definition, digest
    row.save(force_insert=True)
    return row


def _note(server: RemoteServer, row: RemoteTool, definition: dict[str, Any], now: datetime) -> None:
    digest = digest_of(definition)
    if not _is_stale(row, digest, now):
        return
    row.seen_at, row.gone_at = now, None
    fields = ["seen_at", "gone_at"]
    if digest != (row.held_digest or row.digest):
        _change(server, row, definition, digest, now)
        fields += ["definition", "digest", "previous", "held", "held_digest", "changed_at"]
    row.save(update_fields=fields)


def _change(server: RemoteServer, row: RemoteTool, definition: dict[str, Any], digest: str, now: datetime) -> None:
    """The server describes a known tool otherwise than before."""
    never_accepted = row.held_digest == row.digest
    if not server.hold_changes:
        # Seen for the first time and not looked at yet, it has nothing that it was before.
        if row.previous is None and row.changed_at is None:
            row.previous = row.definition
        row.definition, row.digest, row.held, row.held_digest = definition, digest, None, ""
    elif digest == row.digest:
        # It is again as it was accepted: there is nothing left to decide.
        row.held, row.held_digest, row.changed_at = None, "", None
        return
    else:
        row.held, row.held_digest = definition, digest
        if never_accepted:
            row.definition, row.digest = definition, digest
    row.changed_at = now
    audit.record(
        "remote_server.tool_changed",
        caller=None,
        target=target(server),
        detail={"tool": row.name, "digest": digest, "held": server.hold_changes},
    )


def _decision(row: RemoteTool) -> Decision:
    return Decision(enabled=row.enabled, ask_first=row.ask_first, held=bool(row.held_digest))


def _locked(server: RemoteServer, tool_id: int) -> RemoteTool:
    row = RemoteTool.objects.select_for_update().filter(server=server, pk=tool_id).first()
    if row is None:
        raise _not_found()
    return row


def _next_revision(server: RemoteServer) -> None:
    """What is kept of the server's tools is looked up anew."""
    server.revision += 1
    server.save(update_fields=["revision", "updated_at"])


def _not_found() -> NotFound:
    return NotFound("The server has no such tool. Its list of tools may have changed.")
