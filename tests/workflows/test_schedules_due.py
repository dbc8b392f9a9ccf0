"""What is due runs once, whatever happens, and at the times that its schedule says."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from scheduling.models import Overlap
from scheduling.services import due, forgetting
from tests.agents_hub.factories import ProfileFactory
from tests.bots.processes import in_processes
from tests.threads import at_once
from tests.workflows.factories import ScheduleFactory, WorkflowFactory, published_agent
from tests.workflows.scheduled import overdue, stored
from workflows.engine.states import Status
from workflows.models import Execution, Publication, Schedule, ScheduleRun, Trigger
from workflows.services import schedules
from workflows.shapes.executions import TriggerContext
from workflows.tasks import forget_old_schedule_runs

pytestmark = pytest.mark.django_db


def test_a_due_time_starts_one_execution_and_the_next_one_lies_in_the_future() -> None:
    schedule = overdue()
    at = schedule.next_due_at
    assert schedules.run_due() == 1
    assert schedules.run_due() == 0
    run, execution = ScheduleRun.objects.get(), Execution.objects.get()
    assert (run.schedule_id, run.due_at, run.execution_id, run.missed, run.problem) == (
        schedule.pk, at, execution.pk, 0, ""
    )  # fmt: skip
    after = stored(schedule)
    assert after.last_due_at == at
    assert after.next_due_at is not None
    assert after.next_due_at > timezone.now()


def test_the_execution_says_by_which_schedule_it_was_started_and_acts_for_the_maker() -> None:
    profile = ProfileFactory()
    schedule = overdue(
        agent=published_agent(organization=profile.organization), profile_id=profile.pk, options={"softTimeoutMins": 5}
    )
    schedules.run_due()
    execution = Execution.objects.get()
    assert (execution.trigger, execution.runner_id, execution.inputs, execution.options, execution.profile_id) == (
        Trigger.SCHEDULE, schedule.maker_id, schedule.inputs, {"softTimeoutMins": 5}, profile.pk
    )  # fmt: skip
    told = TriggerContext.of(execution).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert told == {"source": "schedule", "schedule": {"id": str(schedule.pk), "cronExpression": "0 9 1 * *"}}


def become_due(schedule: Schedule) -> None:
    ScheduleRun.objects.update(due_at=F("due_at") - timedelta(days=1))
    Schedule.objects.filter(pk=schedule.pk).update(next_due_at=timezone.now() - timedelta(minutes=1))


@pytest.mark.parametrize("status", [Status.RUNNING, Status.AWAITING_CONFIRMATION, Status.PAUSED])
def test_a_time_that_comes_while_the_execution_before_is_going_is_skipped_and_said(status: Status) -> None:
    schedule = overdue()
    schedules.run_due()
    Execution.objects.update(status=status)
    become_due(schedule)
    assert schedules.run_due() == 1
    run = ScheduleRun.objects.latest("id")
    assert (run.is_skipped, run.was_started, run.execution, run.problem) == (True, False, None, "")
    assert (Execution.objects.count(), stored(schedule).problem) == (1, "")
    Execution.objects.update(status=Status.FAILED, terminal_at=timezone.now())
    become_due(schedule)
    schedules.run_due()
    assert Execution.objects.count() == 2


def test_a_schedule_can_run_beside_the_execution_before() -> None:
    schedule = overdue(overlap=Overlap.BESIDE)
    schedules.run_due()
    become_due(schedule)
    schedules.run_due()
    assert Execution.objects.count() == 2


def test_what_is_not_due_yet_and_what_is_disabled_does_not_run() -> None:
    ScheduleFactory()
    ScheduleFactory(is_enabled=False)
    assert schedules.run_due() == 0
    assert not Execution.objects.exists()


@pytest.mark.parametrize(("years", "missed"), [(0, 0), (10, 10), (150, due.MOST_MISSED)])
def test_after_being_down_longer_than_a_period_one_run_stands_for_all(years: int, missed: int) -> None:
    this_year = timezone.now().year
    at = datetime(this_year - years, 1, 1, tzinfo=UTC)
    schedule = ScheduleFactory(cron_expression="0 0 1 1 *", time_zone="UTC", next_due_at=at)
    assert (schedules.run_due(), schedules.run_due()) == (1, 0)
    run = ScheduleRun.objects.get()
    assert (run.due_at, run.missed) == (at, missed)
    assert stored(schedule).next_due_at == datetime(this_year + 1, 1, 1, tzinfo=UTC)


def test_the_published_default_is_the_one_of_the_day_and_a_certain_version_stays() -> None:
    schedule = overdue()
    first = Publication.objects.get().workflow
    certain = overdue(agent=schedule.agent, organization=schedule.organization, workflow=first)
    newer = WorkflowFactory(agent=schedule.agent, version=2)
    Publication.objects.create(workflow=newer, agent=schedule.agent)
    schedules.run_due()
    ran = dict(ScheduleRun.objects.values_list("schedule", "execution__workflow"))
    assert ran == {schedule.pk: newer.pk, certain.pk: first.pk}


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_make_one_run_for_each_due_time() -> None:
    for minutes in range(1, 11):
        overdue(minutes=minutes)
    made = at_once(*[schedules.run_due] * 8)
    assert sum(made) == 10
    assert ScheduleRun.objects.count() == Execution.objects.count() == 10


@pytest.mark.faults
@pytest.mark.django_db(transaction=True)
def test_many_processes_at_once_make_one_run_for_each_due_time() -> None:
    for minutes in range(1, 31):
        overdue(minutes=minutes)
    code = "from workflows.services import schedules\nprint(schedules.run_due())"
    assert sum(map(int, in_processes(3, code))) == 30
    assert ScheduleRun.objects.count() == Execution.objects.count() == 30
    assert ScheduleRun.objects.values("schedule", "due_at").distinct().count() == 30


def test_the_database_itself_refuses_a_second_run_for_a_due_time() -> None:
    schedule, at = ScheduleFactory(), timezone.now()
    ScheduleRun.objects.create(schedule=schedule, due_at=at)
    with pytest.raises(IntegrityError), transaction.atomic():
        ScheduleRun.objects.create(schedule=schedule, due_at=at)
    for _ in range(2):
        ScheduleRun.objects.create(schedule=schedule, due_at=None)


@pytest.mark.django_db(transaction=True)
def test_who_looks_for_due_schedules_does_not_wait_for_one_that_is_being_taken() -> None:
    held, free = overdue(minutes=2), overdue(minutes=1)
    with transaction.atomic():
        Schedule.objects.select_for_update().get(pk=held.pk)
        assert at_once(schedules.run_due) == [1]
    assert Execution.objects.get().schedule_id == free.pk


def test_what_is_due_is_found_by_the_index_among_many() -> None:
    some = ScheduleFactory()
    fields = {"organization": some.organization, "agent": some.agent, "cron_expression": "0 9 * * *"}
    ahead = timezone.now() + timedelta(days=1)
    Schedule.objects.bulk_create(Schedule(name="s", time_zone="UTC", next_due_at=ahead, **fields) for _ in range(2_000))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workflows_schedule")
    looking = Schedule.objects.filter(next_due_at__lte=timezone.now()).order_by("next_due_at", "id")
    assert "workflows_schedule_due" in looking.explain()


def test_the_clock_looks_often_enough_for_a_start_within_ten_seconds() -> None:
    from config.celery import schedule

    entry = schedule()["workflows: start the schedules that are due"]
    assert entry["schedule"] <= timedelta(seconds=5)


def test_of_each_schedule_the_latest_runs_are_kept_and_what_they_started_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "KEPT", 2)
    busy, quiet = overdue(overlap=Overlap.BESIDE), overdue()
    for _ in range(4):
        schedules.run_due()
        Schedule.objects.filter(pk=busy.pk).update(next_due_at=timezone.now() - timedelta(minutes=1))
    ScheduleRun.objects.filter(schedule=busy).update(due_at=None)
    latest = list(ScheduleRun.objects.filter(schedule=busy).order_by("-id").values_list("pk", flat=True)[:2])
    forget_old_schedule_runs()
    assert list(ScheduleRun.objects.filter(schedule=busy).order_by("-id").values_list("pk", flat=True)) == latest
    assert ScheduleRun.objects.filter(schedule=quiet).count() == 1
    assert Execution.objects.count() == 5
