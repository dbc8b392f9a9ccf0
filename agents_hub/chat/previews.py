"""What tools gave, as much of it as is shown at once: cut within the database, so that reading many results is cheap.

A whole result has an address of its own. Which one that is, is its door's to say.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

# Of one text, in characters.
LONGEST_TEXT = 20_000
# Of all results in one reading, in characters; the newest are shown first.
MOST_TOGETHER = 1_000_000
MOST_BLOCKS = 100
# A block's key that says how long was what is cut or left out of it, by its names.
CUT = "cut"

# An object with its texts cut and without bytes, and how long each of those is.
_SHORTENED = """(
    SELECT COALESCE(jsonb_object_agg(key, CASE
        WHEN jsonb_typeof(value) = 'string' THEN to_jsonb(left(value #>> '{{}}', %(longest)s))
        WHEN NOT is_cut THEN value
    END) FILTER (WHERE key NOT IN ('data', 'blob')), '{{}}')
    || CASE WHEN bool_or(is_cut)
        THEN jsonb_build_object('cut', jsonb_object_agg(key, length(value #>> '{{}}')) FILTER (WHERE is_cut))
        ELSE '{{}}' END
    FROM jsonb_each({0}) AS field (key, value)
    CROSS JOIN LATERAL (
        SELECT key IN ('data', 'blob') OR length(value #>> '{{}}') > %(longest)s AS is_cut
    ) fate
)"""
# Plan: the primary key. Results are read where they lie; what leaves the database is what is shown.
PREVIEWS = f"""
    WITH result AS (
        SELECT id, turn_id, round, place, result AS body FROM agents_hub_tooluse
        WHERE id = ANY(%(ids)s) AND jsonb_typeof(result) = 'object'
    ), preview AS (
        SELECT result.id, turn_id, round, place, jsonb_build_object(
            'content', COALESCE(blocks.shown, '[]'),
            'more', GREATEST(COALESCE(blocks.count, 0) - %(blocks)s, 0),
            'structured', CASE WHEN structured.length <= %(longest)s THEN body -> 'structured' END,
            'structuredCut',
                CASE WHEN structured.length > %(longest)s THEN left((body -> 'structured')::text, %(longest)s) END,
            'structuredLength', structured.length,
            'notes', CASE WHEN length((body -> 'notes')::text) <= %(longest)s THEN body -> 'notes' END
        ) AS body
        FROM result
        CROSS JOIN LATERAL (SELECT COALESCE(length((body -> 'structured')::text), 0) AS length) structured
        CROSS JOIN LATERAL (
            SELECT count(*) AS count, jsonb_agg(
                CASE jsonb_typeof(block -> 'resource')
                    WHEN 'object' THEN
                        {_SHORTENED.format("block - 'resource'")}
                        || jsonb_build_object('resource', {_SHORTENED.format("block -> 'resource'")})
                    ELSE {_SHORTENED.format("block")}
                END ORDER BY number
            ) FILTER (WHERE number <= %(blocks)s) AS shown
            FROM jsonb_array_elements(
                CASE jsonb_typeof(body -> 'content') WHEN 'array' THEN body -> 'content' ELSE '[]' END
            ) WITH ORDINALITY AS of_result (block, number)
        ) blocks
    ), together AS (
        SELECT id, body::text AS body,
            sum(length(body::text)) OVER (ORDER BY turn_id DESC, round DESC, place DESC) AS so_far
        FROM preview
    )
    SELECT id, CASE WHEN so_far <= %(together)s THEN body END FROM together
"""  # noqa: S608 - put together from what stands above


@dataclass(frozen=True, slots=True)
class Preview:
    """The beginning of a result. Blocks are as the protocol has them, without bytes and with long texts cut.

    `structured` is there where it is short, else `structured_cut`, the beginning of its JSON. `more` blocks are left
    out. Nothing at all is shown where newer results of the same reading took all the room: `is_left_out`.
    """

    blocks: list[dict[str, Any]]
    notes: list[str]
    structured: Any = None
    structured_cut: str = ""
    structured_length: int = 0
    more: int = 0
    is_left_out: bool = False

    @property
    def is_cut(self) -> bool:
        inside = (CUT in block or CUT in (block.get("resource") or {}) for block in self.blocks)
        return self.is_left_out or bool(self.structured_cut or self.more) or any(inside)


def previews_of(uses: Collection[UUID]) -> dict[UUID, Preview]:
    """The beginnings of what these calls gave, by the calls' ids, in one query; calls that gave nothing have none."""
    if not uses:
        return {}
    values: dict[str, Any] = {
        "ids": list(uses), "longest": LONGEST_TEXT, "blocks": MOST_BLOCKS, "together": MOST_TOGETHER
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(PREVIEWS, values)
        return {use_id: _preview(json.loads(body) if body else None) for use_id, body in cursor.fetchall()}


def _preview(body: Mapping[str, Any] | None) -> Preview:
    if body is None:
        return Preview([], [], is_left_out=True)
    return Preview(
        blocks=[block for block in body["content"] if isinstance(block, dict)],
        notes=body["notes"] or [],
        structured=body["structured"],
        structured_cut=body["structuredCut"] or "",
        structured_length=body["structuredLength"],
        more=body["more"],
    )
