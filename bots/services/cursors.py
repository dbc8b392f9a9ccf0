"""Keyset pages by time: a page ends with a cursor that names its last row, so that new rows shift nothing."""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from django.db import models

from accounts.errors import Invalid

M = TypeVar("M", bound=models.Model)

# A byte for the order that the cursor continues, the row's moment in microseconds since 1970, its id.
_LAYOUT = struct.Struct(">Bqq")
_NEWEST_FIRST, _OLDEST_FIRST = 1, 2
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and where the next page begins; no cursor means that this is the last one."""

    rows: list[M]
    next_cursor: str | None


def page_of(
    rows: models.QuerySet[M],
    *,
    limit: int,
    cursor: str | None,
    by: str = "created_at",
    oldest_first: bool = False,
) -> Page[M]:
    """The first `limit` rows after `cursor` by (`by`, id); `Invalid` for a cursor of another order or kind."""
    if not 1 <= limit <= 100:
        raise Invalid(f"The limit is {limit}; it is 1 to 100.", data={"limit": limit})
    order = _OLDEST_FIRST if oldest_first else _NEWEST_FIRST
    ordered = rows.order_by(by, "id") if oldest_first else rows.order_by(f"-{by}", "-id")
    beyond, passed = ("gte", "lte") if oldest_first else ("lte", "gte")
    if cursor:
        at, row_id = _position(cursor, order)
        # The first condition is where the index is entered; the second only sets apart rows of the same microsecond.
        ordered = ordered.filter(**{f"{by}__{beyond}": at}).exclude(**{by: at, f"id__{passed}": row_id})
    found = list(ordered[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(found, _cursor(found[-1], by, order) if more else None)


def _cursor(row: models.Model, by: str, order: int) -> str:
    at: datetime = getattr(row, by)
    packed = _LAYOUT.pack(order, (at - _EPOCH) // _MICROSECOND, row.pk)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _position(cursor: str, order: int) -> tuple[datetime, int]:
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        its_order, microseconds, row_id = _LAYOUT.unpack(packed)
        if its_order != order or row_id < 1:
            raise ValueError(cursor)
        return _EPOCH + microseconds * _MICROSECOND, row_id
    except (ValueError, binascii.Error, struct.error, OverflowError):
        raise Invalid(
            "This cursor is none of ours. Take `nextCursor` from the page before, or leave it out to begin again.",
            code="invalid_cursor",
        ) from None
