"""The kinds of schedules there are. Each product adds its own when it is ready; the shared pages show them as one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from django.db.models import QuerySet

from accounts.caller import Caller
from scheduling.models import AbstractRun, AbstractSchedule, ScheduleQuerySet


class Verbs(Protocol):
    """What a product can do with a schedule of its own. Each checks scope and permission; `NotFound` for a stranger."""

    def find(self, caller: Caller, schedule_id: UUID) -> AbstractSchedule: ...

    def switch(self, caller: Caller, schedule_id: UUID, *, on: bool) -> AbstractSchedule: ...

    def run_now(self, caller: Caller, schedule_id: UUID) -> AbstractRun: ...

    def delete(self, caller: Caller, schedule_id: UUID) -> None: ...


@dataclass(frozen=True, slots=True)
class Kind:
    slug: str
    """How addresses name it."""
    label: str
    """What one is called in a list: "Workflow"."""
    schedules: Callable[[], ScheduleQuerySet[Any]]
    runs: Callable[[Any], "QuerySet[Any]"]
    verbs: Verbs
    subject: str
    """The path from a schedule to the name of what it runs."""
    new: str
    """The name of the address where one is begun."""
    edit: str
    """The name of the address where one is changed; it takes `schedule_id`."""
    facts: str
    """The template of the facts that only this kind has."""
    came_of: str
    """The template of what a run came to."""
    runs_with: tuple[str, ...] = ()
    """The relations that the history shows of each run."""
    may: Callable[[Caller, AbstractSchedule], frozenset[str]] = lambda caller, schedule: frozenset(
        {"edit", "switch", "run", "delete"}
    )
    """Which of the acts are offered to a person; the verbs decide what is allowed."""


class Kinds:
    def __init__(self) -> None:
        self._kinds: dict[str, Kind] = {}

    def add(self, kind: Kind) -> None:
        if kind.slug in self._kinds:
            raise ValueError(f"There already is a kind of schedules called {kind.slug}.")
        self._kinds[kind.slug] = kind

    def get(self, slug: str) -> Kind | None:
        return self._kinds.get(slug)

    def all(self) -> list[Kind]:
        return list(self._kinds.values())


kinds = Kinds()
