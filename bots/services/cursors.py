"""Keyset pages, newest first: a page ends with a cursor that names its last row, so that new rows shift nothing."""

import base64
import binascii
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from django.db import models

from accounts.errors import Invalid

M = TypeVar("M", bound=models.Model)

# A format byte, the row's moment in microseconds since 1970, its id.
_LAYOUT = struct.Struct(">Bqq")
_FORMAT = 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and where the next page begins; no cursor means that this is the last one."""

    rows: list[M]
    next_cursor: str | None


def page_of(rows: models.QuerySet[M], *, limit: int, cursor: str | None, by: str = "created_at") -> Page[M]:
    """The first `limit` rows after `cursor` by (`by`, id), newest first; `Invalid` for a foreign cursor."""
    if not 1 <= limit <= 100:
        raise Invalid(f"The limit is {limit}; it is 1 to 100.", data={"limit": limit})
    ordered = rows.order_by(f"-{by}", "-id")
    if cursor:
        at, row_id = _position(cursor)
        # The first condition is where the index is entered; the second only sets apart rows of the same microsecond.
        ordered = ordered.filter(**{f"{by}__lte": at}).exclude(**{by: at, "id__gte": row_id})
    found = list(ordered[: limit + 1])
    more = len(found) > limit
    found = found[:limit]
    return Page(found, _cursor(found[-1], by) if more else None)


def _cursor(row: models.Model, by: str) -> str:
    at: datetime = getattr(row, by)
    packed = _LAYOUT.pack(_FORMAT, (at - _EPOCH) // _MICROSECOND, row.pk)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def _position(cursor: str) -> tuple[datetime, int]:
    try:
        packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        layout, microseconds, row_id = _LAYOUT.unpack(packed)
        if layout != _FORMAT or row_id < 1:
            raise ValueError(cursor)
        return _EPOCH + microseconds * _MICROSECOND, row_id
    except (ValueError, binascii.Error, struct.error, OverflowError):
        raise Invalid(
            "This cursor is none of ours. Take `nextCursor` from the page before, or leave it out to begin again.",
            code="invalid_cursor",
        ) from None
