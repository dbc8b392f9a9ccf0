"""Background work of agents, and when it is due. Each looks at rows for what to do, so it may run twice or late."""

from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab

from agents_hub.files.content import sweep_orphans
from agents_hub.services.attachments import sweep_unsent
from agents_hub.services.staged_files import sweep_staged_files

BEAT: dict[str, dict[str, Any]] = {
    "agents: delete staged files whose hour is over": {
        "task": "agents_hub.tasks.delete_due_staged_files",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "agents: delete files of messages that were not sent within an hour": {
        "task": "agents_hub.tasks.delete_unsent_attachments",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "agents: remove content that no file has": {
        "task": "agents_hub.tasks.remove_orphaned_content",
        "schedule": crontab(hour="4", minute="10"),
    },
}


@shared_task
def delete_due_staged_files() -> None:
    sweep_staged_files()


@shared_task
def delete_unsent_attachments() -> None:
    sweep_unsent()


@shared_task
def remove_orphaned_content() -> None:
    sweep_orphans()
