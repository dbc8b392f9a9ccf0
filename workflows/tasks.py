"""Background work of workflows. A message is a nudge: each task looks at rows for what to do, so it may run twice.

Each execution that waits for a worker has a message, which names none: whoever takes it decides whose turn it is.
"""

import logging
from datetime import timedelta
from typing import Any

from celery import shared_task
from celery.schedules import crontab
from django.conf import settings
from django.utils import timezone
from kombu.exceptions import OperationalError

from scheduling.services.forgetting import keep_latest
from scheduling.services.notices import tell_makers
from workflows.engine import admission, fairness, sharing, stopping
from workflows.engine.run import go_on
from workflows.models import Schedule, ScheduleRun
from workflows.services import schedules, waiting
from workflows.services.forgetting import forget_executions
from workflows.webhooks import forgetting, notices, sending

logger = logging.getLogger(__name__)

# Beyond the longest max_timeout_mins that a workflow can have.
LONGEST_SECONDS = 25 * 3600
SWEEP_SECONDS = 5
WEBHOOK_ROUND_SECONDS = 3

# How often the clock looks for schedules that are due: half of the ten seconds that a start may take.
CLOCK_SECONDS = 5

BEAT: dict[str, dict[str, Any]] = {
    "workflows: take up what was lost, and let in what waits": {
        "task": "workflows.tasks.sweep",
        "schedule": timedelta(seconds=SWEEP_SECONDS),
        "options": {"expires": SWEEP_SECONDS},
    },
    "workflows: start the schedules that are due": {
        "task": "workflows.tasks.run_due_schedules",
        "schedule": timedelta(seconds=CLOCK_SECONDS),
        "options": {"expires": CLOCK_SECONDS},
    },
    "workflows: tell people whose schedules cannot be run": {
        "task": "workflows.tasks.tell_makers_of_schedules",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "workflows: send the webhooks that are due": {
        "task": "workflows.tasks.send_webhooks",
        "schedule": timedelta(seconds=WEBHOOK_ROUND_SECONDS),
        "options": {"expires": WEBHOOK_ROUND_SECONDS},
    },
    "workflows: tell admins of webhooks that were switched off": {
        "task": "workflows.tasks.tell_of_webhooks",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "workflows: keep the latest runs of each schedule": {
        "task": "workflows.tasks.forget_old_schedule_runs",
        "schedule": crontab(hour="4", minute="25"),
    },
    "workflows: forget executions that ended long ago": {
        "task": "workflows.tasks.forget_old_executions",
        "schedule": crontab(hour="4", minute="35"),
    },
    "workflows: forget old deliveries of webhooks": {
        "task": "workflows.tasks.forget_webhook_deliveries",
        "schedule": crontab(hour="4", minute="20"),
    },
}


# Acknowledged when it begins: a broker would take an hour's work for a lost message, and the sweep finds what is lost.
@shared_task(acks_late=False, time_limit=LONGEST_SECONDS, soft_time_limit=LONGEST_SECONDS)
def run_next_execution(*, messages_are_lost: bool = False) -> None:
    """Go on with the execution whose turn it is, as far as it goes now; then let the next ones in.

    Where messages are lost, each worker that finds something to do calls another one, until all are busy.
    """
    if stopping.is_asked():
        # It was taken from the broker before this worker was told to stop.
        call_workers(1)
        return
    held = fairness.claim_next()
    if held is None:
        return
    if messages_are_lost:
        replace_lost_messages()
    if go_on(held):
        call_workers(1)
    let_in()


@shared_task
def sweep() -> None:
    # What one execution may be at fault for comes after what all of them need.
    call_workers(len(admission.lost()))
    let_in()
    replace_lost_messages()
    if waiting.settle_what_waited():
        let_in()
    sharing.write_back_what_was_left()


def call_workers(count: int) -> None:
    """Send a message for each of so many executions that wait for a worker from now on."""
    for _ in range(count):
        run_next_execution.delay()


def replace_lost_messages() -> None:
    """Call one worker, if something has waited long. While all are busy the message goes by unheard: none pile up."""
    if not fairness.is_somebody_waiting_long():
        return
    try:
        run_next_execution.apply_async(kwargs={"messages_are_lost": True}, expires=SWEEP_SECONDS)
    except OperationalError:
        # Whoever asks may hold an execution by now, and goes on with it.
        logger.warning("The broker does not answer; the next sweep calls a worker.")


@shared_task
def let_in_waiting() -> None:
    let_in()


@shared_task
def run_due_schedules() -> None:
    schedules.run_due()


@shared_task
def tell_makers_of_schedules() -> None:
    tell_makers(Schedule.objects.all(), "workflow")


@shared_task
def forget_old_schedule_runs() -> None:
    keep_latest(Schedule.objects.all(), ScheduleRun.objects)


def nudge() -> None:
    """Have a worker give the free places away. Without a broker the sweep does it a little later."""
    try:
        let_in_waiting.delay()
    except OperationalError:
        logger.warning("The broker does not answer; the sweep lets in what waits.")


def let_in() -> None:
    """Give free places away, and call a worker for each that got one."""
    call_workers(len(admission.admit()))


@shared_task
def send_webhooks() -> None:
    """Send what is due; where that was a full batch, have another worker go on at once."""
    if sending.send_due():
        nudge_webhooks()


@shared_task
def tell_of_webhooks() -> None:
    notices.tell_admins()


@shared_task
def forget_webhook_deliveries() -> None:
    days: int = settings.WEBHOOK_DELIVERIES_RETENTION_DAYS
    if days:
        forgetting.forget_deliveries(timezone.now() - timedelta(days=days))


@shared_task
def forget_old_executions() -> None:
    days: int = settings.EXECUTIONS_RETENTION_DAYS
    if days:
        forget_executions(timezone.now() - timedelta(days=days))


def nudge_webhooks() -> None:
    """Have a worker send what is due now. Without a broker the next round does it."""
    try:
        send_webhooks.delay()
    except OperationalError:
        logger.warning("The broker does not answer; the next round sends the webhooks that are due.")
