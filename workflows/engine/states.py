"""The statuses of an execution and the ways between them: one table, checked in one place."""

from collections.abc import Mapping

from django.db import models

from accounts.errors import Conflict


class Status(models.TextChoices):
    STARTING = "starting", "Starting"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    PAUSED_BY_AGENT = "paused_by_agent", "Paused by agent"
    AWAITING_CONFIRMATION = "awaiting_confirmation", "Awaiting confirmation"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({Status.COMPLETED, Status.FAILED, Status.CANCELLED})
LIVE = frozenset(Status) - TERMINAL
# Those in which a worker is at it, or is about to be.
ACTIVE = frozenset({Status.STARTING, Status.RUNNING})

WAYS: Mapping[Status, frozenset[Status]] = {
    Status.STARTING: TERMINAL | {Status.RUNNING},
    Status.RUNNING: TERMINAL | {Status.PAUSED, Status.PAUSED_BY_AGENT, Status.AWAITING_CONFIRMATION},
    Status.PAUSED: frozenset({Status.RUNNING, Status.CANCELLED}),
    # Failed where nobody answers in time.
    Status.PAUSED_BY_AGENT: frozenset({Status.RUNNING, Status.CANCELLED, Status.FAILED}),
    Status.AWAITING_CONFIRMATION: TERMINAL | {Status.RUNNING},
    Status.COMPLETED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELLED: frozenset(),
}
# What a person may ask for; the rest comes about by itself.
ASKABLE = frozenset({Status.RUNNING, Status.PAUSED, Status.CANCELLED})


def check(current: Status, wanted: Status) -> None:
    """Raise `Conflict` unless the table has a way: what was asked, what is, and what is allowed."""
    if wanted in WAYS[current]:
        return
    allowed = sorted(WAYS[current] & ASKABLE)
    said = f"It can become {' or '.join(allowed)}." if allowed else "It has ended and can no longer change."
    raise Conflict(
        f"The execution is {current.value} and cannot become {wanted.value}. {said}",
        code="status",
        data={"asked": wanted.value, "status": current.value, "allowed": allowed},
    )
