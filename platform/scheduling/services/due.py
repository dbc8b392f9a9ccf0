"""Taking what is due: each due time once, however many workers look, and none lost however long nobody did."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, models, transaction

from accounts.caller import Caller
from accounts.errors import DomainError, Forbidden, Invalid
from accounts.models import Membership
from scheduling.models import AbstractRun, AbstractSchedule, Overlap, ScheduleQuerySet
from security import audit

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=AbstractSchedule)

# Taken by one call: the task that calls has a time limit, and the next one goes on a few seconds later.
MOST_AT_ONCE = 500
# Passed due times beyond these are not counted one by one.
MOST_MISSED = 100
OUR_FAULT = "Something went wrong on our side and is written in the log. It is tried again at the next due time."


@dataclass(frozen=True, slots=True)
class Due:
    """A due time that was taken. `missed` later ones had passed too, and this run stands for them."""

    at: datetime
    missed: int


def run_due(
    schedules: ScheduleQuerySet[S],
    runs: "models.Manager[Any]",
    start: Callable[[S, Caller], Mapping[str, Any]],
    *,
    is_going: Callable[[S], bool],
    is_done: bool = True,
) -> int:
    """Make a run for each schedule that is due, each in a transaction of its own; how many were made.

    `is_going` tells whether an earlier run of the schedule goes on still; then nothing is started where the schedule
    says so, and the run's row is there to tell.
    `start` begins what is to be done, in that transaction, and returns what the run's row is to say of it. If it
    refuses, or the maker may not act any more, the row says so. Without `is_done` a start does not tell yet that all is
    well: trouble that there was is the product's to forget. A process that dies in between leaves no trace: the
    schedule is due still.
    """
    made = 0
    while made < MOST_AT_ONCE and _run_next(schedules, runs, start, is_going=is_going, is_done=is_done):
        made += 1
    return made


def _run_next(
    schedules: ScheduleQuerySet[S],
    runs: "models.Manager[Any]",
    start: Callable[[S, Caller], Mapping[str, Any]],
    *,
    is_going: Callable[[S], bool],
    is_done: bool,
) -> bool:
    with transaction.atomic():
        now = _database_now()
        # The plan: the partial index on next_due_at. Whoever comes second passes over the row, and where it has moved
        # on by the time its lock is free, PostgreSQL looks at the condition again.
        schedule = (
            schedules.select_for_update(skip_locked=True, no_key=True, of=("self",))
            .filter(next_due_at__lte=now)
            .order_by("next_due_at", "id")
            .first()
        )
        if schedule is None:
            return False
        due = _take(schedule, now)
        if due is not None and schedule.overlap == Overlap.SKIP and is_going(schedule):
            # Trouble that there was goes on or ends with the run that is still going.
            runs.create(schedule=schedule, due_at=due.at, missed=due.missed, is_skipped=True)
        elif due is not None:
            made = _make_run(schedule, runs, due, start, now)
            if is_done and not made.problem:
                schedule.forget_trouble()
        schedule.save(
            update_fields=[
                "next_due_at", "last_due_at", "is_enabled", "problem", "problem_since", "owner_told_at"
            ]
        )  # fmt: skip
    return True


def _database_now() -> datetime:
    """The one clock that all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _take(schedule: AbstractSchedule, now: datetime) -> Due | None:
    """The due time, with the schedule moved on; none where nobody can say any more when it is due next."""
    at = schedule.next_due_at
    assert at is not None
    try:
        missed = schedule.cron.count_between(at, now, MOST_MISSED)
        schedule.move_on(now)
    except Invalid as error:
        schedule.disable()
        schedule.note_trouble(f"It was disabled: {error.message}", now)
        return None
    return Due(at, missed)


def _make_run(
    schedule: S,
    runs: "models.Manager[Any]",
    due: Due,
    start: Callable[[S, Caller], Mapping[str, Any]],
    now: datetime,
) -> AbstractRun:
    came_of, problem, code = _attempt(schedule, start)
    if problem:
        schedule.note_trouble(problem, now)
        audit.record(
            "schedule.run",
            caller=Caller.system(schedule.maker_id or 0),
            target=target(schedule),
            outcome=audit.Outcome.REFUSED,
            error_code=code,
            detail={"due_at": due.at.isoformat(), "problem": problem},
        )
    made: AbstractRun = runs.create(schedule=schedule, due_at=due.at, missed=due.missed, problem=problem, **came_of)
    return made


def _attempt(schedule: S, start: Callable[[S, Caller], Mapping[str, Any]]) -> tuple[Mapping[str, Any], str, str]:
    """What was begun; or nothing, with the reason and its code. What a failed start wrote is taken back."""
    try:
        with transaction.atomic():
            return start(schedule, acting_for(schedule)), "", ""
    except DomainError as error:
        return {}, error.message, error.code
    except Exception:  # one schedule that trips over a mistake of ours must not stop the clock of all others
        logger.exception("Schedule %s could not be run.", schedule.pk)
        return {}, OUR_FAULT, "error"


def acting_for(schedule: AbstractSchedule) -> Caller:
    """Its maker at the door of tasks, with the rights they have now; `Forbidden` where they have none any more."""
    maker = schedule.maker
    if maker is None or not maker.is_active:
        raise Forbidden(
            f"It runs in the name of somebody whose account is gone or switched off. {schedule.WITHOUT_ITS_MAKER}",
            code="maker_gone",
        )
    if not Membership.objects.filter(user=maker, organization_id=schedule.organization_id).exists():
        raise Forbidden(
            f"{maker.get_full_name()}, in whose name it runs, no longer belongs to {schedule.organization.name}. "
            f"{schedule.WITHOUT_ITS_MAKER}",
            code="maker_left",
        )
    return Caller.system(maker.pk)


def target(schedule: AbstractSchedule) -> str:
    """How the audit names it."""
    return f"schedule:{schedule.pk}"
