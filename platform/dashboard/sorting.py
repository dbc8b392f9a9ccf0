"""How a list is sorted: by a column whose head is a link, as `?sort=` says, a hyphen before it for falling order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from django.http import HttpRequest

Direction = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order a list is in, out of those that its columns offer."""

    columns: Mapping[str, Direction]
    """The way each column goes when its head is followed from another's order. A list begins with the first."""
    field: str
    direction: Direction

    @property
    def value(self) -> str:
        """What `?sort=` says for this order; nothing for the one that the list has anyway."""
        is_usual = (self.field, self.direction) == next(iter(self.columns.items()))
        return "" if is_usual else f"{'-' if self.direction == 'desc' else ''}{self.field}"

    def after(self, field: str) -> "Sorting":
        """The order that this column's head leads to: the other way round where the list is in its order already."""
        direction = self.columns[field]
        if field == self.field:
            direction = "asc" if self.direction == "desc" else "desc"
        return Sorting(self.columns, field, direction)

    def said_of(self, field: str) -> str:
        """What the column's head tells programs (`aria-sort`); nothing for a column that the list is not sorted by."""
        return {"asc": "ascending", "desc": "descending"}[self.direction] if field == self.field else ""


def sorting(request: HttpRequest, columns: Mapping[str, Direction]) -> Sorting:
    """The order that `?sort=` asks for; what is no column of the list counts as nothing asked."""
    wanted = request.GET.get("sort", "")
    field = wanted.removeprefix("-")
    if field in columns:
        return Sorting(columns, field, "desc" if wanted.startswith("-") else "asc")
    return Sorting(columns, *next(iter(columns.items())))
