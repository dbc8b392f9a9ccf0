"""The schedules of an organization, of all kinds in one list."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet, Value

from accounts.caller import Caller
from accounts.scopes import Scope
from dashboard.numbered_pages import NumberedPage
from scheduling.models import AbstractSchedule
from scheduling.registry import Kind, kinds

FIELDS = ("id", "name", "cron_expression", "time_zone", "is_enabled", "next_due_at", "last_due_at", "problem")
ORDERS = {
    ("next_due_at", "asc"): ("next_due_at", "name", "id"),
    ("next_due_at", "desc"): ("-next_due_at", "-name", "-id"),
    ("name", "asc"): ("name", "id"),
    ("name", "desc"): ("-name", "-id"),
}


@dataclass(frozen=True, slots=True)
class ListedSchedule:
    """What a list says of a schedule, whatever kind it is of."""

    id: UUID
    name: str
    cron_expression: str
    time_zone: str
    is_enabled: bool
    next_due_at: datetime | None
    last_due_at: datetime | None
    problem: str
    subject: str
    maker: str | None
    kind: Kind


def list_schedules(
    caller: Caller, *, organization_id: int, field: str, direction: str, number: int, size: int
) -> NumberedPage[ListedSchedule]:
    """The page of that number, from 1; those that are disabled stand after those that are due by time."""
    caller.require(Scope.READ)
    every = kinds.all()
    if not every:
        return NumberedPage([], number, size, 0)
    # The plan: for each kind the index on its organization; at most MOST_SCHEDULES of each are sorted.
    first, *others = (_of(kind, caller, organization_id) for kind in every)
    rows = first.union(*others, all=True) if others else first
    begin = (number - 1) * size
    found = rows.order_by(*ORDERS[field, direction])[begin : begin + size]
    return NumberedPage(list(_listed(found)), number, size, rows.count())


def _of(kind: Kind, caller: Caller, organization_id: int) -> "QuerySet[AbstractSchedule, dict[str, object]]":
    schedules = kind.schedules().for_caller(caller).filter(organization_id=organization_id)
    return schedules.values(
        *FIELDS, subject_name=F(kind.subject), maker_name=F("maker__name"), kind_slug=Value(kind.slug)
    )


def _listed(rows: "QuerySet[AbstractSchedule, dict[str, object]]") -> Iterator[ListedSchedule]:
    for row in rows:
        kind = kinds.get(str(row.pop("kind_slug")))
        assert kind is not None
        subject, maker = row.pop("subject_name"), row.pop("maker_name")
        yield ListedSchedule(**row, subject=subject, maker=maker, kind=kind)  # type: ignore[arg-type]
