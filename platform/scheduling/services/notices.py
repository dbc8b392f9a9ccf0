"""Telling makers, once and by mail, that their schedule can no longer be run."""

import logging
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db.models.functions import Now
from django.template.loader import render_to_string

from scheduling.models import AbstractSchedule, ScheduleQuerySet

logger = logging.getLogger(__name__)

BATCH = 200


def tell_makers(schedules: ScheduleQuerySet[Any], slug: str) -> int:
    """Mail the makers of schedules in trouble who were not told yet; how many mails went out.

    Each is claimed before its mail is sent and given back where it could not be, so that nobody is told twice of one
    trouble, however often the run fails. A process that dies in between leaves one untold; its pages say the same.
    """
    untold = schedules.filter(problem_since__isnull=False, owner_told_at=None)
    waiting = untold.select_related("maker", "organization").order_by("problem_since")
    return sum(_tell(row, slug) for row in waiting[:BATCH] if untold.filter(pk=row.pk).update(owner_told_at=Now()))


def _tell(schedule: AbstractSchedule, slug: str) -> bool:
    if schedule.maker is None or not schedule.maker.is_active:
        return False
    link = f"{settings.PUBLIC_URL}/dashboard/schedules/{slug}/{schedule.pk}/"
    body = render_to_string("scheduling/mail/trouble.txt", {"schedule": schedule, "link": link})
    try:
        # A name has no line break: it would be a header of its own.
        send_mail(f"“{schedule.name}” could not be run", body, None, [schedule.maker.email])
    except (SMTPException, OSError):
        logger.exception("The maker of schedule %s could not be told; it is tried again.", schedule.pk)
        type(schedule)._default_manager.filter(pk=schedule.pk).update(owner_told_at=None)
        return False
    return True
