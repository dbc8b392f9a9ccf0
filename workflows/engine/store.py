"""The engine's statements: claiming an execution, committing a step or a checkpoint, ending, giving back.

Each is one statement, guarded by the fence, and so one transaction by itself. Times are the database's: workers' clocks
may differ. The plans rest on the primary key of the execution and the unique numbers of its steps and activities.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from security.identifiers import uuid7
from workflows.engine.activities import Line
from workflows.engine.states import Status

# Where people and pages are told that there is something new: the payload is the execution's id.
CHANNEL = "workflows_execution"


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


def claim(execution_id: UUID) -> Held | None:
    """Take the execution up, if it is to run and nobody holds it. The first claim sets it running."""
    statement = """
        WITH held AS (
            UPDATE workflows_execution SET
                fence = fence + 1,
                attempts = attempts + 1,
                lease_until = clock_timestamp() + %(lease)s * interval '1 second',
                started_at = COALESCE(started_at, clock_timestamp()),
                activity_count = activity_count + CASE WHEN status = 'starting' THEN 1 ELSE 0 END,
                status = 'running'
            WHERE id = %(id)s AND status IN ('starting', 'running') AND admitted_at IS NOT NULL
                AND (lease_until IS NULL OR lease_until < clock_timestamp())
            RETURNING id, fence, attempts, activity_count, (SELECT old.status FROM workflows_execution old
                WHERE old.id = workflows_execution.id) AS before
        ), told AS (
            INSERT INTO workflows_activity (id, execution_id, number, at, type, payload)
            SELECT %(activity)s, id, activity_count, clock_timestamp(), 'status_changed', '{"status": "running"}'
            FROM held WHERE before = 'starting'
        )
        SELECT fence, attempts, pg_notify(%(channel)s, id::text) FROM held
    """
    values: dict[str, Any] = {
        "id": execution_id,
        "lease": settings.WORKFLOW_LEASE_SECONDS,
        "activity": uuid7(),
        "channel": CHANNEL,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    return Held(execution_id, row[0], row[1]) if row else None


def renew(held: Held) -> Seen:
    """Keep holding it. Raises `Fenced` where it is somebody else's by now, or is no longer running."""
    return _commit(held, {}, [])


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


def commit(held: Held, changes: Mapping[str, Any], lines: Sequence[Line], point: PointRow | None = None) -> Seen:
    """Change the execution between steps. Raises `Fenced`."""
    return _commit(held, changes, lines, point=point)


def checkpoint(held: Held, point: PointRow, lines: Sequence[Line] = ()) -> Seen:
    """Write what happened within a step, with its activities. Raises `Fenced`."""
    return _commit(held, {}, lines, point=point)


def _commit(
    held: Held,
    changes: Mapping[str, Any],
    lines: Sequence[Line],
    *,
    step: StepRow | None = None,
    point: PointRow | None = None,
) -> Seen:
    assigned = dict(changes)
    given_back = "status" in assigned and assigned["status"] != Status.RUNNING
    expressions: list[sql.Composable] = [
        sql.SQL("activity_count = activity_count + {}").format(sql.Literal(len(lines)))
    ]
    if given_back:
        expressions.append(sql.SQL("lease_until = NULL"))
        if Status(assigned["status"]).is_terminal:
            expressions.append(sql.SQL("terminal_at = clock_timestamp()"))
    else:
        lease = sql.Literal(settings.WORKFLOW_LEASE_SECONDS)
        expressions.append(sql.SQL("lease_until = clock_timestamp() + {} * interval '1 second'").format(lease))
    if given_back or step is not None:
        # A checkpoint is not enough: a step that writes one each time before it ends its worker would go on for ever.
        expressions.append(sql.SQL("attempts = 0"))
    if step is not None:
        expressions.append(sql.SQL("step_count = {}").format(sql.Literal(step.number)))
    expressions += [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(f"set_{name}")) for name in assigned
    ]
    parts: list[sql.Composable] = [
        sql.SQL(
            "held AS (UPDATE workflows_execution SET {} WHERE id = %(id)s AND fence = %(fence)s AND status = 'running' "
            "RETURNING id, fence, activity_count, wanted, sync_to_id)"
        ).format(sql.SQL(", ").join(expressions))
    ]
    values: dict[str, Any] = {"id": held.id, "fence": held.fence, "channel": CHANNEL}
    values |= {f"set_{name}": _stored(value) for name, value in assigned.items()}
    if lines:
        parts.append(_ACTIVITIES)
        values["lines"] = json.dumps([_as_row(place, line) for place, line in enumerate(lines, 1)])
        values["count"] = len(lines)
    if step is not None:
        parts += [_STEP, _GONE]
        values |= {
            "number": step.number,
            "node_id": step.node_id,
            "node_name": step.node_name,
            "node_type": step.node_type,
            "output": Jsonb(dict(step.output)),
            "summary": step.summary,
            "succeeded": step.succeeded,
            "seconds": step.seconds,
        }
    if point is not None:
        parts.append(_CHECKPOINT)
        values |= {
            "point_step": point.step,
            "point_number": point.number,
            "point_kind": point.kind,
            "point_action_id": point.action_id,
            "point_body": Jsonb(point.body),
        }
        if point.heard:
            parts.append(_HEARD)
            values["heard"] = list(point.heard)
    tell = sql.SQL(", pg_notify(%(channel)s, id::text)") if lines else sql.SQL("")
    statement = sql.SQL("WITH {} SELECT wanted, sync_to_id{} FROM held").format(sql.SQL(", ").join(parts), tell)
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(None), values)
        row = cursor.fetchone()
    if row is None:
        raise Fenced(f"Execution {held.id} is no longer held under fence {held.fence}.")
    return Seen(row[0], row[1])


_ACTIVITIES = sql.SQL("""
    told AS (
        INSERT INTO workflows_activity (id, execution_id, number, at, type, payload, display)
        SELECT line.id, held.id, held.activity_count - %(count)s + line.place, clock_timestamp(), line.type,
               line.payload, line.display
        FROM held, jsonb_to_recordset(%(lines)s::jsonb)
             AS line(id uuid, place integer, type text, payload jsonb, display jsonb)
    )
""")
_STEP = sql.SQL("""
    stepped AS (
        INSERT INTO workflows_step (execution_id, number, node_id, node_name, node_type, output, summary, succeeded,
                                    fence, started_at, ended_at)
        SELECT id, %(number)s, %(node_id)s, %(node_name)s, %(node_type)s, %(output)s, %(summary)s, %(succeeded)s, fence,
               clock_timestamp() - %(seconds)s * interval '1 second', clock_timestamp()
        FROM held
    )
""")
_GONE = sql.SQL("""
    gone AS (
        DELETE FROM workflows_checkpoint USING held
        WHERE workflows_checkpoint.execution_id = held.id AND workflows_checkpoint.step <= %(number)s
    )
""")
_CHECKPOINT = sql.SQL("""
    pointed AS (
        INSERT INTO workflows_checkpoint (execution_id, step, number, kind, action_id, body, fence, at)
        SELECT id, %(point_step)s, %(point_number)s, %(point_kind)s, %(point_action_id)s, %(point_body)s, fence,
               clock_timestamp()
        FROM held
    )
""")
_HEARD = sql.SQL("""
    heard AS (
        UPDATE workflows_usermessage SET seen_in_step = %(point_step)s FROM held
        WHERE workflows_usermessage.execution_id = held.id AND workflows_usermessage.id = ANY(%(heard)s)
    )
""")


def _as_row(place: int, line: Line) -> dict[str, Any]:
    return {"id": str(uuid7()), "place": place, "type": line.type, "payload": line.payload, "display": line.display}


def _stored(value: Any) -> Any:
    return Jsonb(value) if isinstance(value, dict | list) else value
