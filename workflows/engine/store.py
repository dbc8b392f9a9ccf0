"""The engine's writing: claiming an execution, committing a step or a checkpoint, ending, giving back.

Each is one statement, guarded by the fence, and so one transaction by itself. Times are the database's: workers' clocks
may differ. The plans rest on the primary key of the execution and the unique numbers of its steps and activities.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from dashboard.streams.notices import notify
from security.identifiers import uuid7
from workflows.engine.activities import Line
from workflows.engine.notices import notices
from workflows.engine.statements import Shape, committing
from workflows.engine.states import Status

# Where people and pages are told that there is something new: the payload is the execution's id.
CHANNEL = "workflows_execution"
# Executions of one statement on a connection after which PostgreSQL keeps it prepared.
PREPARED_AFTER = 3
# Of what a commit changes: a text as a result is JSON too.
JSON_COLUMNS = frozenset({"variables", "waiting_for", "result"})


class Fenced(Exception):  # noqa: N818 - named for what happened: somebody else holds the execution, or it was ended
    """What this worker holds is no longer its own. It stops; nothing it did since its last commit counts."""


@dataclass(frozen=True, slots=True)
class Held:
    """An execution as its worker holds it. `attempts` counts the claims since the last step."""

    id: UUID
    fence: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What people want, as the last commit found it."""

    wanted: str
    sync_to: UUID | None


def taking(where: bytes, *, before: bytes = b"", after: bytes = b"") -> bytes:
    """The statement that takes up the execution found by `where`, if it is to run, has a place, and nobody holds it.

    `before` and `after` are further parts of it; the latter may read what was `held`.
    """
    return b"""
        WITH %(before)b held AS (
            UPDATE workflows_execution SET
                fence = fence + 1,
                attempts = attempts + 1,
                lease_until = clock_timestamp() + %%(lease)s * interval '1 second',
                started_at = COALESCE(started_at, clock_timestamp()),
                activity_count = activity_count + CASE WHEN status = 'starting' THEN 1 ELSE 0 END,
                status = 'running'
            WHERE %(where)b AND status IN ('starting', 'running') AND admitted_at IS NOT NULL
                AND (lease_until IS NULL OR lease_until < clock_timestamp())
            RETURNING id, organization_id, fence, attempts, activity_count,
                (SELECT old.status FROM workflows_execution old WHERE old.id = workflows_execution.id) AS before
        ), told AS (
            INSERT INTO workflows_activity (id, execution_id, number, at, type, payload)
            SELECT %%(activity)s, id, activity_count, clock_timestamp(), 'status_changed', '{"status": "running"}'
            FROM held WHERE before = 'starting'
        ) %(after)b
        SELECT id, fence, attempts FROM held
    """ % {
        b"where": where,
        b"before": before + b"," if before else b"",
        b"after": b"," + after if after else b"",
    }


CLAIM = taking(b"id = %(id)s")
LOOK = b"""
    SELECT wanted, sync_to_id FROM workflows_execution
    WHERE id = %(id)s AND fence = %(fence)s AND status = 'running'
"""


def claim(execution_id: UUID) -> Held | None:
    """Take the execution up, if it is to run and nobody holds it. The first claim sets it running."""
    return taken(row_of(CLAIM, {"id": execution_id, "lease": settings.WORKFLOW_LEASE_SECONDS, "activity": uuid7()}))


def taken(row: tuple[Any, ...] | None) -> Held | None:
    """What a statement of `taking` returned, once those who look on are told."""
    if row is None:
        return None
    _tell(row[0])
    return Held(*row)


def look(held: Held) -> Seen:
    """What people want, and whether it is still held; nothing is written. Raises `Fenced`."""
    return _seen(held, row_of(LOOK, {"id": held.id, "fence": held.fence}))


def renew(held: Held, changes: Mapping[str, Any] | None = None) -> Seen:
    """Keep holding it. Raises `Fenced` where it is somebody else's by now, or is no longer running."""
    return _commit(held, changes or {}, [])


def give_way(held: Held, changes: Mapping[str, Any]) -> Seen:
    """Let another worker go on with it when its turn has come again: it has lost none. Raises `Fenced`."""
    return _commit(held, changes, [], gives_way=True)


@contextmanager
def holding(held: Held) -> Iterator[Seen]:
    """A transaction in which nobody else changes the row: what people want now is what counts. Raises `Fenced`.

    Whoever stalls in the midst of it loses its connection after a lease, for nobody else could take the run over.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{settings.WORKFLOW_LEASE_SECONDS:d}s'")
        yield renew(held)


@dataclass(frozen=True, slots=True)
class StepRow:
    """A step to be committed. `seconds` it took, counted back from the commit."""

    number: int
    node_id: str
    node_name: str
    node_type: str
    output: Mapping[str, Any]
    summary: str
    succeeded: bool
    seconds: float

    def values(self) -> dict[str, Any]:
        """As the statement names them."""
        return {
            "number": self.number,
            "node_id": self.node_id,
            "node_name": self.node_name,
            "node_type": self.node_type,
            "output": Jsonb(dict(self.output)),
            "summary": self.summary,
            "succeeded": self.succeeded,
            "seconds": self.seconds,
        }


def commit_step(held: Held, step: StepRow, changes: Mapping[str, Any], lines: Sequence[Line]) -> Seen:
    """Write the step, its activities and where the run stands now; its checkpoints go. Raises `Fenced`."""
    return _commit(held, changes, lines, step=step)


@dataclass(frozen=True, slots=True)
class PointRow:
    """A checkpoint to be committed. `heard` are the people's messages that are in it: from now on they are seen."""

    step: int
    number: int
    kind: str
    body: Any
    action_id: str = ""
    heard: Sequence[UUID] = ()

    def values(self) -> dict[str, Any]:
        """As the statement names them."""
        return {
            "point_step": self.step,
            "point_number": self.number,
            "point_kind": self.kind,
            "point_action_id": self.action_id,
            "point_body": Jsonb(self.body),
            "heard": list(self.heard),
        }


def commit(held: Held, changes: Mapping[str, Any], lines: Sequence[Line], point: PointRow | None = None) -> Seen:
    """Change the execution between steps. Raises `Fenced`."""
    return _commit(held, changes, lines, point=point)


def checkpoint(
    held: Held, point: PointRow, lines: Sequence[Line] = (), changes: Mapping[str, Any] | None = None
) -> Seen:
    """Write what happened within a step, with its activities. Raises `Fenced`."""
    return _commit(held, changes or {}, lines, point=point)


def _commit(
    held: Held,
    changes: Mapping[str, Any],
    lines: Sequence[Line],
    *,
    step: StepRow | None = None,
    point: PointRow | None = None,
    gives_way: bool = False,
) -> Seen:
    status = Status(changes["status"]) if "status" in changes else Status.RUNNING
    shape = Shape(
        changed=tuple(changes),
        given_back=status != Status.RUNNING,
        gives_way=gives_way,
        ended=status.is_terminal,
        lines=bool(lines),
        step=step is not None,
        point=point is not None,
        heard=point is not None and bool(point.heard),
        # Within a longer transaction it is not certain yet that there is anything to be told.
        told=bool(lines) and connection.in_atomic_block,
    )
    values = {
        "id": held.id,
        "fence": held.fence,
        "lease": settings.WORKFLOW_LEASE_SECONDS,
        "count": len(lines),
        "lines": json.dumps([_as_row(place, line) for place, line in enumerate(lines, 1)]),
        "channel": CHANNEL,
        **{f"set_{name}": _stored(name, value) for name, value in changes.items()},
        **(step.values() if step else {}),
        **(point.values() if point else {}),
    }
    seen = _seen(held, row_of(committing(shape), values))
    if lines and not shape.told:
        notices.add([held.id])
    return seen


def row_of(statement: bytes, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The row that the statement returns. It is kept prepared: planning it takes longer than carrying it out."""
    with connection.cursor(), connection.wrap_database_errors:
        wire = connection.connection
        wire.prepare_threshold = PREPARED_AFTER
        return psycopg.Cursor(wire).execute(statement, values).fetchone()


def _seen(held: Held, row: tuple[Any, ...] | None) -> Seen:
    if row is None:
        raise Fenced(f"Execution {held.id} is no longer held under fence {held.fence}.")
    return Seen(row[0], row[1])


def _tell(execution_id: UUID) -> None:
    if connection.in_atomic_block:
        notify(CHANNEL, str(execution_id))
    else:
        notices.add([execution_id])


def _as_row(place: int, line: Line) -> dict[str, Any]:
    return {"id": str(uuid7()), "place": place, "type": line.type, "payload": line.payload, "display": line.display}


def _stored(column: str, value: Any) -> Any:
    return Jsonb(value) if column in JSON_COLUMNS and value is not None else value
