"""Background work of agents, and when it is due. Each looks at rows for what to do, so it may run twice or late."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.schedules import crontab

from agents_hub.chat import claiming, inquiries, lost
from agents_hub.chat.alone import carry_out
from agents_hub.chat.forgetting import forget_events, forget_records
from agents_hub.files.content import sweep_orphans
from agents_hub.models import ScheduledTask, TaskRun
from agents_hub.services import scheduled_tasks
from agents_hub.services.attachments import sweep_unsent
from agents_hub.services.conversations import sweep_empty
from agents_hub.services.staged_files import sweep_staged_files
from scheduling.services.forgetting import keep_latest
from scheduling.services.notices import tell_makers

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
    "agents: delete conversations in which nothing was said": {
        "task": "agents_hub.tasks.delete_empty_conversations",
        "schedule": crontab(minute="35"),
    },
    "agents: remove content that no file has": {
        "task": "agents_hub.tasks.remove_orphaned_content",
        "schedule": crontab(hour="4", minute="10"),
    },
    "agents: mark answers whose process was lost, and give those that nobody takes to workers": {
        "task": "agents_hub.tasks.look_after_turns",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "agents: ask what scheduled tasks are due to ask": {
        "task": "agents_hub.tasks.run_due_tasks",
        "schedule": timedelta(seconds=5),
        "options": {"expires": 5},
    },
    "agents: keep the latest runs of each scheduled task": {
        "task": "agents_hub.tasks.forget_old_task_runs",
        "schedule": crontab(hour="4", minute="15"),
    },
    "agents: tell people whose scheduled tasks cannot be run": {
        "task": "agents_hub.tasks.tell_makers_of_tasks",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "agents: forget how answers came about": {
        "task": "agents_hub.tasks.forget_old_turns",
        "schedule": crontab(minute="25"),
    },
}

# A backstop: an answer ends by CHAT_TURN_SECONDS, and each wait for its person by CHAT_ANSWER_MINUTES.
LONGEST_TURN_SECONDS = 6 * 3600


@shared_task
def delete_due_staged_files() -> None:
    sweep_staged_files()


@shared_task
def delete_unsent_attachments() -> None:
    sweep_unsent()


@shared_task
def delete_empty_conversations() -> None:
    sweep_empty()


@shared_task
def remove_orphaned_content() -> None:
    sweep_orphans()


@shared_task
def look_after_turns() -> None:
    """A web process takes turns up at once; a worker does what none has taken."""
    lost.give_up_lost()
    inquiries.forget_left_over()
    for turn_id in claiming.hand_out():
        # A message that no worker has taken by then is sent anew; a turn never has two.
        carry_out_turn.apply_async((str(turn_id),), expires=claiming.AGAIN_SECONDS)


# Acknowledged when it begins: a turn that is lost with its worker is marked, and not begun again by itself. The
# answer's own limits end it in words, long before these.
@shared_task(acks_late=False, soft_time_limit=LONGEST_TURN_SECONDS, time_limit=LONGEST_TURN_SECONDS + 60)
def carry_out_turn(turn_id: str) -> None:
    carry_out(UUID(turn_id))


@shared_task
def forget_old_task_runs() -> None:
    keep_latest(ScheduledTask.objects.all(), TaskRun.objects)


@shared_task
def forget_old_turns() -> None:
    forget_events()
    forget_records()


@shared_task
def run_due_tasks() -> None:
    scheduled_tasks.settle_runs()
    scheduled_tasks.run_due()


@shared_task
def tell_makers_of_tasks() -> None:
    tell_makers(ScheduledTask.objects.all(), "task")
