"""Ending what waited for people longer than it may."""

from django.db import transaction
from django.utils import timezone

from workflows.engine import activities
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.services.wishes import end

BATCH = 100


def end_what_nobody_answered() -> int:
    """Fail the executions whose question nobody answered in time; how many."""
    with transaction.atomic():
        due = (
            Execution.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(status=Status.PAUSED_BY_AGENT, wake_at__lte=timezone.now())
            .order_by("wake_at")[:BATCH]
        )
        ended = list(due)
        for execution in ended:
            reason = "Nobody answered the agent's question in time."
            end(execution, Status.FAILED, [activities.failed(reason)], failure=reason)
    return len(ended)
