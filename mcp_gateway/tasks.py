"""Background work of the gateway, and when it is due. Each task looks at rows for what to do, so it may run twice."""

from typing import Any

from celery import shared_task
from celery.schedules import crontab

from mcp_gateway.oauth import cleaning
from mcp_gateway.rest import idempotency

BEAT: dict[str, dict[str, Any]] = {
    "mcp_gateway: forget what has ended in the sign-in": {
        "task": "mcp_gateway.tasks.forget_what_has_ended",
        "schedule": crontab(hour="4", minute="10"),
    },
    "mcp_gateway: forget answers kept for a day": {
        "task": "mcp_gateway.tasks.forget_kept_answers",
        "schedule": crontab(minute="25"),
    },
}


@shared_task
def forget_what_has_ended() -> None:
    cleaning.forget_codes()
    cleaning.forget_tokens()
    cleaning.forget_unused_clients()


@shared_task
def forget_kept_answers() -> None:
    idempotency.sweep()
