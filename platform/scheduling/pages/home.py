"""What the home page says of a person's schedules: those that cannot be run."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from django.http import HttpRequest

from accounts.page_caller import caller
from scheduling.models import AbstractSchedule
from scheduling.registry import Kind, kinds

MOST_TOLD = 5


def panel(request: HttpRequest) -> Mapping[str, Any]:
    return {"troubles": list(islice(_troubles(request), MOST_TOLD))}


def _troubles(request: HttpRequest) -> Iterable[tuple[Kind, AbstractSchedule]]:
    who = caller(request)
    for kind in kinds.all():
        own = kind.schedules().for_caller(who).in_trouble().filter(maker_id=who.user_id)
        yield from ((kind, row) for row in own.order_by("problem_since", "id")[:MOST_TOLD])
