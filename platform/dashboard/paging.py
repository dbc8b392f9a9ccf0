"""Keyset pages of a list ordered by id: the address carries where the page begins, never a count."""

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
    """What `?cursor=` says for the next page, if there is one: the id after which its rows lie."""


def keyset_page(
    request: HttpRequest, rows: "models.QuerySet[Row, Any]", *, size: int = PAGE_SIZE, oldest_first: bool = False
) -> KeysetPage[Row]:
    """The page that `?cursor=<id>` names, newest first unless said otherwise. What is not a number counts as none.

    A cursor of rows that rise begins with a dot, and those that fall do not take it for theirs.
    """
    mark, order, beyond = (".", "pk", "pk__gt") if oldest_first else ("", "-pk", "pk__lt")
    cursor = request.GET.get("cursor", "")
    ordered = rows.order_by(order)
    number = cursor.removeprefix(mark)
    if cursor.startswith(mark) and number.isascii() and number.isdigit() and len(number) <= 18:
        ordered = ordered.filter(**{beyond: int(number)})
    found = list(ordered[: size + 1])
    return KeysetPage(found[:size], f"{mark}{found[size - 1].pk}" if len(found) > size else None)
