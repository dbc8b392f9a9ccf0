"""Keyset pages of a list ordered by falling id: the address carries where the page begins, never a count."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models
from django.http import HttpRequest

PAGE_SIZE = 25

Row = TypeVar("Row", bound=models.Model)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Row]):
    rows: Sequence[Row]
    next_cursor: str | None
    """What `?cursor=` says for the next page, if there is one: the id below which its rows lie."""


def keyset_page(request: HttpRequest, rows: "models.QuerySet[Row, Any]", *, size: int = PAGE_SIZE) -> KeysetPage[Row]:
    """The page that `?cursor=<id>` names, newest first. What is not a number counts as no number."""
    cursor = request.GET.get("cursor", "")
    ordered = rows.order_by("-pk")
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18:
        ordered = ordered.filter(pk__lt=int(cursor))
    found = list(ordered[: size + 1])
    return KeysetPage(found[:size], str(found[size - 1].pk) if len(found) > size else None)
