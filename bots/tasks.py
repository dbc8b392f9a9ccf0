"""Background work of bots, and when it is due. Each task looks at rows for what to do, so it may run twice or late."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.utils import timezone

from bots.services import retention, rewards, roi, sweeps

BEAT: dict[str, dict[str, Any]] = {
    "bots: end sanctions whose time has come": {
        "task": "bots.tasks.end_due_sanctions",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "bots: settle sanctions that a crash interrupted": {
        "task": "bots.tasks.finish_interrupted_sanctions",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "bots: give and take back the roles of gift codes": {
        "task": "bots.tasks.settle_role_rewards",
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "bots: keep yesterday's return on investment": {
        "task": "bots.tasks.keep_roi_snapshots",
        "schedule": crontab(hour="0", minute="20"),
    },
    "bots: drop what the statistics no longer look back to": {
        "task": "bots.tasks.prune_activity",
        "schedule": crontab(hour="3", minute="40"),
    },
}


@shared_task
def end_due_sanctions() -> None:
    sweeps.end_due_sanctions()


@shared_task
def finish_interrupted_sanctions() -> None:
    sweeps.finish_interrupted()


@shared_task
def settle_role_rewards() -> None:
    rewards.give_pending_roles()
    rewards.take_back_due_roles()


@shared_task
def keep_roi_snapshots() -> None:
    roi.keep_snapshots((timezone.now() - timedelta(days=1)).date())


@shared_task
def prune_activity() -> None:
    retention.prune()
