"""A schedule that cannot be run says so to its maker, goes on, and holds up none of the others."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import User
from scheduling.services import due
from scheduling.services.notices import tell_makers
from security.models import AuditEntry
from tests.workflows.scheduled import overdue, stored, withdraw
from workflows.models import Execution, Publication, Schedule, ScheduleRun
from workflows.services import executions, schedules

pytestmark = pytest.mark.django_db


def ask_for_more(schedule: Schedule) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(inputs={"order": "A"})


def leave(schedule: Schedule) -> None:
    assert schedule.maker
    schedule.maker.memberships.all().delete()


def switch_off(schedule: Schedule) -> None:
    assert schedule.maker
    User.objects.filter(pk=schedule.maker.pk).update(is_active=False)


def delete_account(schedule: Schedule) -> None:
    assert schedule.maker
    User.objects.filter(pk=schedule.maker.pk).delete()


def delete_profile(schedule: Schedule) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(profile_id=schedule.pk)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (withdraw, "no published workflow"),
        (ask_for_more, "asks for shop"),
        (leave, "no longer belongs to"),
        (switch_off, "switched off"),
        (delete_account, "account is gone"),
        (delete_profile, "no such profile"),
    ],
)
def test_what_cannot_be_started_is_written_down_and_the_clock_goes_on(
    spoil: Callable[[Schedule], None], says: str
) -> None:
    schedule = overdue()
    spoil(schedule)
    for _ in range(3):
        Schedule.objects.update(next_due_at=timezone.now() - timedelta(minutes=1))
        assert schedules.run_due() == 1
    assert not Execution.objects.exists()
    assert ScheduleRun.objects.filter(problem__contains=says, execution=None).count() == 3
    after = stored(schedule)
    assert says in after.problem
    assert after.is_enabled
    assert after.next_due_at is not None
    assert after.next_due_at > timezone.now()
    assert AuditEntry.objects.filter(action="schedule.run", outcome="refused").count() == 3


def test_a_trouble_is_over_when_a_run_can_be_started_again() -> None:
    schedule = overdue()
    publication = Publication.objects.get()
    withdraw(schedule)
    schedules.run_due()
    assert stored(schedule).problem_since
    publication.save(force_insert=True)
    Schedule.objects.update(next_due_at=timezone.now() - timedelta(minutes=1))
    schedules.run_due()
    after = stored(schedule)
    assert (after.problem, after.problem_since, after.owner_told_at) == ("", None, None)


def test_the_maker_is_mailed_once_a_trouble() -> None:
    schedule = overdue(name="Nightly report")
    assert schedule.maker
    withdraw(schedule)
    for _ in range(3):
        Schedule.objects.update(next_due_at=timezone.now() - timedelta(minutes=1))
        schedules.run_due()
        tell_makers(Schedule.objects.all(), "workflow")
    assert [(one.to, one.subject) for one in mail.outbox] == [
        ([schedule.maker.email], "“Nightly report” could not be run")
    ]
    assert "no published workflow" in mail.outbox[0].body
    assert f"/dashboard/schedules/workflow/{schedule.pk}/" in mail.outbox[0].body


def test_a_mail_that_could_not_be_sent_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    withdraw(overdue())
    schedules.run_due()

    def refuse(*_: Any) -> None:
        raise OSError("no route")

    with monkeypatch.context() as patched:
        patched.setattr("scheduling.services.notices.send_mail", refuse)
        assert tell_makers(Schedule.objects.all(), "workflow") == 0
    assert tell_makers(Schedule.objects.all(), "workflow") == 1


def test_a_mistake_of_ours_with_one_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = overdue(minutes=2), overdue(minutes=1)
    start = executions.start

    def trip(caller: Caller, **options: Any) -> Execution:
        execution = start(caller, **options)
        if options["scheduled_by"].schedule_id == broken.pk:
            raise ZeroDivisionError
        return execution

    monkeypatch.setattr("workflows.services.schedules.start", trip)
    assert schedules.run_due() == 2
    assert Execution.objects.get().schedule_id == sound.pk
    assert ScheduleRun.objects.get(schedule=broken).problem == due.OUR_FAULT


def test_a_zone_that_is_known_no_more_disables_the_schedule_and_says_so() -> None:
    schedule, other = overdue(minutes=2, time_zone="Europe/Atlantis"), overdue(minutes=1)
    assert schedules.run_due() == 2
    after = stored(schedule)
    assert (after.is_enabled, "Atlantis" in after.problem) == (False, True)
    assert Execution.objects.get().schedule_id == other.pk
