"""Schedules of workflows as tests need them: overdue, spoilt, and asked for by somebody."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from tests.agents_hub.factories import member_of
from tests.workflows.factories import ScheduleFactory
from workflows.models import Publication, Schedule
from workflows.services.schedules import Wanted


def member(schedule: Schedule, scope: Scope = Scope.WRITE) -> Caller:
    return Caller(user_id=member_of(schedule.organization).pk, scope=scope, door=Door.PAGE)


def maker(schedule: Schedule) -> Caller:
    assert schedule.maker_id
    return Caller(user_id=schedule.maker_id, scope=Scope.WRITE, door=Door.PAGE)


def overdue(minutes: float = 1, **fields: Any) -> Schedule:
    made: Schedule = ScheduleFactory(next_due_at=timezone.now() - timedelta(minutes=minutes), **fields)
    return made


def wanted(**changes: Any) -> Wanted:
    usual: dict[str, Any] = {
        "name": "Every month",
        "cron_expression": "0 9 1 * *",
        "time_zone": "UTC",
        "inputs": {"order": "B-2", "shop": "Pier 9"},
    }
    return Wanted(**usual | changes)


def stored(schedule: Schedule) -> Schedule:
    return Schedule.objects.get(pk=schedule.pk)


def withdraw(schedule: Schedule) -> None:
    Publication.objects.all().delete()
