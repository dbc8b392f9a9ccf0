"""Background work of the gateway, and when it is due. Each task looks at rows for what to do, so it may run twice."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone

from mcp_gateway.oauth import cleaning
from mcp_gateway.remote import forgetting, leases, notices, refresh
from mcp_gateway.rest import idempotency

# How often the clock looks for connections to refresh: often enough that after a crash a provider's grace is not over.
ROUND_SECONDS = 10

BEAT: dict[str, dict[str, Any]] = {
    "mcp_gateway: forget what has ended in the sign-in": {
        "task": "mcp_gateway.tasks.forget_what_has_ended",
        "schedule": crontab(hour="4", minute="10"),
    },
    "mcp_gateway: forget answers kept for a day": {
        "task": "mcp_gateway.tasks.forget_kept_answers",
        "schedule": crontab(minute="25"),
    },
    "mcp_gateway: refresh the connections that are due": {
        "task": "mcp_gateway.tasks.refresh_due_connections",
        "schedule": timedelta(seconds=ROUND_SECONDS),
        "options": {"expires": ROUND_SECONDS},
    },
    "mcp_gateway: tell people whose connections ended": {
        "task": "mcp_gateway.tasks.tell_owners",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "mcp_gateway: forget sign-ins nobody finished": {
        "task": "mcp_gateway.tasks.forget_sign_ins",
        "schedule": crontab(minute="40"),
    },
    "mcp_gateway: forget old calls of remote tools": {
        "task": "mcp_gateway.tasks.forget_remote_calls",
        "schedule": crontab(hour="4", minute="30"),
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


@shared_task
def refresh_due_connections() -> None:
    for connection_id in leases.claim_due():
        # A message that waited for longer is of no use: by then the connection is handed out again.
        refresh_connection.apply_async((connection_id,), expires=leases.HANDED_OUT_SECONDS)


@shared_task
def refresh_connection(connection_id: int) -> None:
    refresh.refresh(connection_id)


@shared_task
def tell_owners() -> None:
    notices.tell_owners()


@shared_task
def forget_sign_ins() -> None:
    forgetting.forget_sign_ins()


@shared_task
def forget_remote_calls() -> None:
    days: int = settings.MCP_REMOTE_CALLS_RETENTION_DAYS
    if days:
        forgetting.forget_calls(timezone.now() - timedelta(days=days))
    forgetting.forget_issuers()
