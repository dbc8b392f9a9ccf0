"""Background work of models: old calls are summed up."""

from datetime import UTC, timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone

from llm import retention
from llm.services.thinking import first_of_month

BEAT: dict[str, dict[str, Any]] = {
    "llm: sum up old calls of models": {
        "task": "llm.tasks.sum_up_calls",
        "schedule": crontab(hour="4", minute="40"),
    },
}


@shared_task
def sum_up_calls() -> None:
    """Of whole days alone, and never of the month under way, which budgets are held to."""
    days: int = settings.MODEL_CALLS_RETENTION_DAYS
    if days:
        today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        retention.sum_up_calls(min(today - timedelta(days=days), first_of_month()))
