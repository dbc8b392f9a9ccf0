"""A scheduled task as tests need it: asked for, come due, and run."""

from datetime import timedelta

from django.utils import timezone

from agents_hub.models import ScheduledTask, TaskRun
from agents_hub.services import scheduled_tasks as tasks
from agents_hub.services.scheduled_tasks import Wanted

SECRET_PROMPT = "Which berths are free tonight?"


def wanted(**changes: str) -> Wanted:
    usual = {"name": "Free berths", "cron_expression": "0 9 1 * *", "time_zone": "Europe/Berlin"}
    return Wanted(**usual | {"prompt": SECRET_PROMPT} | changes)


def come_due(task: ScheduledTask) -> None:
    ScheduledTask.objects.filter(pk=task.pk).update(next_due_at=timezone.now() - timedelta(minutes=1))


def run_once(task: ScheduledTask) -> TaskRun:
    come_due(task)
    assert tasks.run_due() == 1
    return TaskRun.objects.filter(schedule=task).latest("id")


def stored(task: ScheduledTask) -> ScheduledTask:
    return ScheduledTask.objects.get(pk=task.pk)
