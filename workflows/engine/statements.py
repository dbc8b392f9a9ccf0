"""The text of the statement that commits a step, a checkpoint or a change: one for each combination of its parts.

There are few of them, so each is put together once and prepared by PostgreSQL on each connection that uses it again.
"""

from dataclasses import dataclass
from functools import lru_cache

from psycopg import sql


@dataclass(frozen=True, slots=True)
class Shape:
    """What a commit writes. `changed` are the execution's columns; `told`: whether a notice goes with the commit.

    One that is `given_back` waits for people or has ended; one that `gives_way` waits for a worker.
    """

    changed: tuple[str, ...] = ()
    given_back: bool = False
    gives_way: bool = False
    ended: bool = False
    lines: bool = False
    step: bool = False
    point: bool = False
    heard: bool = False
    told: bool = False


@lru_cache(maxsize=256)
def committing(shape: Shape) -> bytes:
    """Changes the execution's row while its fence is the caller's, and writes what belongs to it, or nothing at all."""
    parts: list[sql.Composable] = [_held(shape)]
    if shape.lines:
        parts.append(_ACTIVITIES)
    if shape.step:
        parts += [_STEP, _GONE]
    if shape.point:
        parts.append(_CHECKPOINT)
    if shape.heard:
        parts.append(_HEARD)
    tell = sql.SQL(", pg_notify(%(channel)s, id::text)") if shape.told else sql.SQL("")
    whole = sql.SQL("WITH {} SELECT wanted, sync_to_id{} FROM held").format(sql.SQL(", ").join(parts), tell)
    return whole.as_bytes(None)


def _held(shape: Shape) -> sql.Composable:
    assigned = [sql.SQL("activity_count = activity_count + %(count)s")]
    if shape.given_back or shape.gives_way:
        assigned.append(sql.SQL("lease_until = NULL"))
    else:
        assigned.append(sql.SQL("lease_until = clock_timestamp() + %(lease)s * interval '1 second'"))
    if shape.ended:
        assigned.append(sql.SQL("terminal_at = clock_timestamp()"))
    if shape.given_back or shape.step:
        # A checkpoint is not enough: a step that writes one each time before it ends its worker would go on for ever.
        assigned.append(sql.SQL("attempts = 0"))
    if shape.gives_way:
        # It waits from now on, and this claim has lost no worker. It stays running, so the fence alone keeps off who
        # would renew the lease once more.
        assigned.append(sql.SQL("admitted_at = clock_timestamp(), attempts = GREATEST(attempts - 1, 0)"))
        assigned.append(sql.SQL("fence = fence + 1"))
    if shape.step:
        assigned.append(sql.SQL("step_count = %(number)s"))
    changed = [
        sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(f"set_{name}")) for name in shape.changed
    ]
    return sql.SQL(
        "held AS (UPDATE workflows_execution SET {} WHERE id = %(id)s AND fence = %(fence)s AND status = 'running' "
        "RETURNING id, fence, activity_count, wanted, sync_to_id)"
    ).format(sql.SQL(", ").join([*assigned, *changed]))


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
