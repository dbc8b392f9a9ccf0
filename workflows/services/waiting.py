"""What has waited long enough: a run whose time has come goes on, and one that nobody answered ends."""

from django.db import transaction
from django.utils import timezone

from workflows.engine import activities
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.services.wishes import end, resume

BATCH = 100


def settle_what_waited() -> int:
    """Let the executions go on that waited for a time, and fail those whose question nobody answered; how many."""
    with transaction.atomic():
        due = (
            Execution.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(status=Status.PAUSED_BY_AGENT, wake_at__lte=timezone.now())
            .order_by("wake_at")[:BATCH]
        )
        waited = list(due)
        for execution in waited:
            if not (execution.waiting_for or {}).get("questions"):
                resume(execution)
                continue
            reason = "Nobody answered the agent's question in time."
            end(execution, Status.FAILED, [activities.failed(reason)], failure=reason)
    return len(waited)
