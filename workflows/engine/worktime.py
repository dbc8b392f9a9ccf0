"""How long a worker has an execution: the time that counts against its limit, and the slice after which others come."""

import time
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from workflows.engine import fairness, stopping

# How often, once a slice is over, a worker looks whether somebody waits.
LOOK_SECONDS = 1.0


@dataclass
class WorkTime:
    """Seconds at work, of which an execution has `most`; `before` were spent with earlier workers."""

    most: float
    before: float
    _began: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        return self.before + time.monotonic() - self._began

    @property
    def left(self) -> float:
        return self.most - self.spent


@dataclass
class Slice:
    """The time for which a worker keeps an execution even though others wait for one."""

    execution_id: UUID
    organization_id: int
    _look_at: float = field(default_factory=lambda: time.monotonic() + settings.WORKFLOW_SLICE_SECONDS)

    def is_over(self) -> bool:
        """Whether the worker is to be given back: its process ends, or its time is up and another is next."""
        if stopping.is_asked():
            return True
        now = time.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + LOOK_SECONDS
        return fairness.is_another_next(self.execution_id, self.organization_id)
