"""The record of remote calls: for each an audit entry and a row for the server's page, written in batches."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import User
from mcp_gateway import metrics
from mcp_gateway.batches import Batches
from mcp_gateway.models import RemoteCall, RemoteConnection, RemoteServer
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.loops import PerLoop
from security import audit
from security.models import AuditEntry
from security.storable import storable

ACTION = "remote_server.call"
# How servers are named to Prometheus: one label for all, for anybody may add any number.
METRICS_SERVER = "remote"
Outcome = RemoteCall.Outcome
_AUDIT = {
    Outcome.OK: audit.Outcome.OK,
    Outcome.TOOL_ERROR: audit.Outcome.REFUSED,
    Outcome.FAILED: audit.Outcome.ERROR,
    Outcome.CANCELLED: audit.Outcome.ERROR,
}


@dataclass(slots=True)
class Entry:
    """One call: begun when made, and ended once."""

    caller: Caller
    server_id: int
    connection_id: int | None
    tool: str
    argument_names: Sequence[str]
    at: datetime = field(default_factory=timezone.now)
    outcome: Outcome = Outcome.OK
    error_code: str = ""
    duration_ms: float = 0.0
    _began: float = field(default_factory=time.perf_counter)

    def end(self, outcome: Outcome, error_code: str = "") -> None:
        self.outcome, self.error_code = outcome, error_code
        self.duration_ms = round((time.perf_counter() - self._began) * 1000, 3)
        metrics.observe(METRICS_SERVER, "", outcome.value, error_code, self.duration_ms / 1000)

    def audit_entry(self) -> AuditEntry:
        """Who called what, without what was sent: that is the person's and the server's, and may be anything."""
        made = audit.entry(
            ACTION,
            caller=self.caller,
            outcome=_AUDIT[self.outcome],
            error_code=self.error_code or ("tool_error" if self.outcome is Outcome.TOOL_ERROR else ""),
            tool=storable(self.tool),
            target=f"remote_server:{self.server_id}",
            duration_ms=self.duration_ms,
            detail={"arguments": list(self.argument_names)},
        )
        made.at = self.at
        return made

    def row(self) -> RemoteCall:
        return RemoteCall(
            server_id=self.server_id,
            user_id=self.caller.user_id or None,
            tool=storable(self.tool)[:500],
            at=self.at,
            duration_ms=self.duration_ms,
            outcome=self.outcome,
            error_code=self.error_code,
        )


def store(entries: Sequence[Entry]) -> None:
    """Write the entries. A server or person deleted meanwhile takes its rows along, and the audit stays."""
    with transaction.atomic():
        audit.store(entry.audit_entry() for entry in entries)
        _note_use(entries)
    try:
        _store_rows(entries)
    except IntegrityError:  # deleted in the moment between looking and writing
        _store_rows(entries)


def _store_rows(entries: Iterable[Entry]) -> None:
    rows = [entry.row() for entry in entries]
    with transaction.atomic():
        servers = set(RemoteServer.objects.filter(pk__in={row.server_id for row in rows}).values_list("pk", flat=True))
        users = set(User.objects.filter(pk__in={row.user_id for row in rows}).values_list("pk", flat=True))
        for row in rows:
            row.user_id = row.user_id if row.user_id in users else None
        RemoteCall.objects.bulk_create([row for row in rows if row.server_id in servers])


def _note_use(entries: Iterable[Entry]) -> None:
    used = {entry.connection_id for entry in entries if entry.connection_id is not None}
    if used:
        RemoteConnection.objects.filter(pk__in=used).update(last_used_at=timezone.now())


async def _store(entries: list[Entry]) -> None:
    await in_domain(store, entries, calls_out=True)


ledger = PerLoop(lambda: Batches[Entry]("The record of remote calls", _store))
