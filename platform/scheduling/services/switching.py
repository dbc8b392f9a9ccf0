"""Switching schedules on and off, and deleting them: what is the same for every kind once its product allowed it."""

from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Invalid, PlanLimit
from scheduling.models import AbstractSchedule, Overlap
from scheduling.services.due import target
from security import audit

# Of one kind in an organization; the list of all is sorted whole.
MOST_SCHEDULES = 500
LONGEST_NAME = 100


def switch(caller: Caller, schedule: AbstractSchedule, *, on: bool) -> None:
    """Enable or disable a schedule whose row the caller holds. One that is so already is left as it is."""
    if schedule.is_enabled == on:
        return
    if on:
        schedule.enable(timezone.now())
    else:
        schedule.disable()
    # Whoever switched it has seen what was wrong.
    schedule.forget_trouble()
    schedule.save()
    audit.record("schedule.enable" if on else "schedule.disable", caller=caller, target=target(schedule))


def remove(caller: Caller, schedule: AbstractSchedule) -> None:
    """Delete a schedule whose row the caller holds, with its history. What it started stays."""
    audit.record("schedule.delete", caller=caller, target=target(schedule), detail={"name": schedule.name})
    schedule.delete()


def checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"Give it a name of 1 to {LONGEST_NAME} characters.", data={"field": "name"})
    return name


def checked_overlap(overlap: str) -> Overlap:
    try:
        return Overlap(overlap)
    except ValueError:
        raise Invalid(f"The overlap is one of {', '.join(Overlap.values)}.", data={"field": "overlap"}) from None


def refuse_too_many(count: int) -> None:
    """Raise `PlanLimit` where one more would be too many."""
    if count >= MOST_SCHEDULES:
        raise PlanLimit(
            f"The organization already has {MOST_SCHEDULES} schedules of this kind, the most there can be. "
            "Delete one first."
        )
