"""Numbered pages: what a list of pages, of the REST API and of the platform's tools is cut into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models

R = TypeVar("R")
M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[R]):
    rows: list[R]
    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        """The number of the last page, at least 1."""
        return max(1, -(-self.total // self.size))


def numbered(
    rows: "models.QuerySet[M, Any]", *, order: "Sequence[str | models.OrderBy]", number: int, size: int
) -> NumberedPage[M]:
    """The `number`-th page, from 1, of `size` rows. Beyond the last it is empty."""
    begin, total = (number - 1) * size, rows.order_by().count()
    # Where there is nothing, looking for it in order would read all there is.
    found = list(rows.order_by(*order)[begin : begin + size]) if begin < total else []
    return NumberedPage(found, number, size, total)


def ordering(field: str, direction: str) -> tuple[str, ...]:
    """By the field and then by id, both in the same direction, as the indexes run."""
    sign = "-" if direction == "desc" else ""
    return (f"{sign}{field}", f"{sign}id")
