"""Background work of security: the audit forgets what is older than the operator keeps."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone

from security import retention

BEAT: dict[str, dict[str, Any]] = {
    "security: let old entries of the audit go": {
        "task": "security.tasks.prune_audit",
        "schedule": crontab(hour="4", minute="10"),
    },
}


@shared_task(ignore_result=True)
def prune_audit() -> None:
    days: int = settings.AUDIT_RETENTION_DAYS
    if days:
        retention.prune_audit(timezone.now() - timedelta(days=days))
