"""What people do with schedules of workflows, and what they may not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.errors import Conflict, DomainError, Invalid, NotFound, PlanLimit, ScopeMissing
from accounts.scopes import Scope
from scheduling.services import switching
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory, ProfileFactory, ProfilePoolFactory, member_of
from tests.factories import MembershipFactory
from tests.workflows.factories import ScheduleFactory, WorkflowFactory, published_agent
from tests.workflows.scheduled import maker, member, overdue, stored, wanted, withdraw
from workflows.models import Execution, Schedule, ScheduleRun, Trigger
from workflows.services import schedules

pytestmark = pytest.mark.django_db


def test_a_schedule_is_made_with_its_next_time_and_an_audit_entry() -> None:
    agent = published_agent()
    person = member_of(agent.organization)
    caller = Caller(user_id=person.pk, scope=Scope.WRITE, door=Door.PAGE)
    made = schedules.create_schedule(caller, agent_id=agent.pk, wanted=wanted(cron_expression="0  9 * * mon"))
    assert (made.maker_id, made.cron_expression, made.workflow_id) == (person.pk, "0 9 * * MON", None)
    assert made.next_due_at == made.cron.next_after(timezone.now())
    entry = AuditEntry.objects.get(action="schedule.create")
    assert (entry.user_id, entry.target) == (person.pk, f"schedule:{made.pk}")


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"name": "  "}, Invalid, "name"),
        ({"cron_expression": "soon"}, Invalid, "cron_expression"),
        ({"time_zone": "Mars"}, Invalid, "time_zone"),
        ({"inputs": {"order": "A"}}, Invalid, None),
        ({"options": {"softTimeoutMins": 100_000}}, Invalid, "executionOptions.softTimeoutMins"),
    ],
)
def test_what_could_not_run_is_not_made(changes: dict[str, Any], error: type[DomainError], field: str | None) -> None:
    agent = published_agent()
    caller = Caller(user_id=member_of(agent.organization).pk, scope=Scope.WRITE, door=Door.PAGE)
    with pytest.raises(error) as refused:
        schedules.create_schedule(caller, agent_id=agent.pk, wanted=wanted(**changes))
    assert refused.value.data.get("field") == field
    assert not Schedule.objects.exists()


def test_an_agent_with_nothing_published_and_a_draft_are_not_scheduled() -> None:
    agent = AgentFactory()
    caller = Caller(user_id=member_of(agent.organization).pk, scope=Scope.WRITE, door=Door.PAGE)
    with pytest.raises(Conflict, match="no published workflow"):
        schedules.create_schedule(caller, agent_id=agent.pk, wanted=wanted())
    draft = WorkflowFactory(agent=agent)
    with pytest.raises(Invalid, match="published"):
        schedules.create_schedule(caller, agent_id=agent.pk, wanted=wanted(workflow_id=draft.pk))


def test_nothing_of_another_organization_can_be_named() -> None:
    agent, other = published_agent(), published_agent()
    caller = Caller(user_id=member_of(agent.organization).pk, scope=Scope.WRITE, door=Door.PAGE)
    foreign = {
        "workflow_id": other.workflows.get().pk,
        "profile_id": ProfileFactory(organization=other.organization).pk,
        "pool_id": ProfilePoolFactory(organization=other.organization).pk,
    }
    with pytest.raises(NotFound):
        schedules.create_schedule(caller, agent_id=other.pk, wanted=wanted())
    for name, identifier in foreign.items():
        with pytest.raises(NotFound):
            schedules.create_schedule(caller, agent_id=agent.pk, wanted=wanted(**{name: identifier}))


def test_a_stranger_finds_no_schedule_whatever_they_try() -> None:
    schedule: Schedule = ScheduleFactory()
    stranger = Caller(user_id=MembershipFactory().user.pk, scope=Scope.ADMIN, door=Door.PAGE)
    acts: list[Callable[[], Any]] = [
        lambda: schedules.find(stranger, schedule.pk),
        lambda: schedules.update_schedule(stranger, schedule.pk, wanted()),
        lambda: schedules.switch(stranger, schedule.pk, on=False),
        lambda: schedules.run_now(stranger, schedule.pk),
        lambda: schedules.delete(stranger, schedule.pk),
    ]
    for act in acts:
        with pytest.raises(NotFound):
            act()
    assert stored(schedule).is_enabled


def test_a_key_that_may_only_read_changes_nothing() -> None:
    schedule: Schedule = ScheduleFactory()
    reader = member(schedule, Scope.READ)
    assert schedules.find(reader, schedule.pk) == schedule
    acts: list[Callable[[], Any]] = [
        lambda: schedules.create_schedule(reader, agent_id=schedule.agent_id, wanted=wanted()),
        lambda: schedules.update_schedule(reader, schedule.pk, wanted()),
        lambda: schedules.switch(reader, schedule.pk, on=False),
        lambda: schedules.run_now(reader, schedule.pk),
        lambda: schedules.delete(reader, schedule.pk),
    ]
    for act in acts:
        with pytest.raises(ScopeMissing):
            act()


def test_what_somebody_writes_into_a_schedule_never_runs_in_the_name_of_another() -> None:
    """The attack: change the inputs of a colleague's schedule, and have it run with the colleague's connections."""
    schedule = overdue()
    attacker = member(schedule)
    schedules.update_schedule(attacker, schedule.pk, wanted(inputs={"order": "mine", "shop": "mine"}))
    Schedule.objects.update(next_due_at=timezone.now() - timedelta(minutes=1))
    schedules.run_due()
    execution = Execution.objects.get()
    assert (execution.inputs["order"], execution.runner_id) == ("mine", attacker.user_id)


def test_run_now_runs_in_the_name_of_whoever_asks_and_leaves_the_clock_alone() -> None:
    schedule: Schedule = ScheduleFactory()
    asking = member(schedule)
    schedules.run_now(asking, schedule.pk)
    run, execution = ScheduleRun.objects.get(), Execution.objects.get()
    assert (run.due_at, run.asked_by_id, run.execution_id) == (None, asking.user_id, execution.pk)
    assert (execution.runner_id, execution.trigger) == (asking.user_id, Trigger.SCHEDULE)
    assert stored(schedule).next_due_at == schedule.next_due_at


def test_run_now_refuses_what_cannot_be_started_and_writes_nothing() -> None:
    schedule: Schedule = ScheduleFactory()
    withdraw(schedule)
    with pytest.raises(Conflict):
        schedules.run_now(maker(schedule), schedule.pk)
    assert not ScheduleRun.objects.exists()


def test_what_passed_while_it_was_disabled_is_not_made_up_for() -> None:
    schedule = overdue(minutes=1)
    caller = maker(schedule)
    assert schedules.switch(caller, schedule.pk, on=False).next_due_at is None
    assert schedules.run_due() == 0
    after = schedules.switch(caller, schedule.pk, on=True)
    assert after.next_due_at is not None
    assert after.next_due_at > timezone.now()
    assert schedules.run_due() == 0
    actions = (
        AuditEntry.objects.filter(target=f"schedule:{schedule.pk}").order_by("id").values_list("action", flat=True)
    )
    assert list(actions) == ["schedule.disable", "schedule.enable"]


def test_another_time_moves_the_next_run_and_another_name_does_not() -> None:
    schedule: Schedule = ScheduleFactory(time_zone="UTC")
    caller = maker(schedule)
    renamed = schedules.update_schedule(caller, schedule.pk, wanted(name="Renamed"))
    assert (renamed.name, renamed.next_due_at) == ("Renamed", schedule.next_due_at)
    moved = schedules.update_schedule(caller, schedule.pk, wanted(cron_expression="30 4 1 * *"))
    assert moved.next_due_at == moved.cron.next_after(timezone.now())
    schedules.switch(caller, schedule.pk, on=False)
    assert schedules.update_schedule(caller, schedule.pk, wanted()).next_due_at is None


def test_a_deleted_schedule_leaves_its_executions() -> None:
    schedule = overdue()
    schedules.run_due()
    schedules.delete(maker(schedule), schedule.pk)
    assert not ScheduleRun.objects.exists()
    assert Execution.objects.get().schedule_id == schedule.pk
    assert AuditEntry.objects.filter(action="schedule.delete").exists()


def test_an_organization_keeps_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule: Schedule = ScheduleFactory()
    monkeypatch.setattr(switching, "MOST_SCHEDULES", 1)
    with pytest.raises(PlanLimit):
        schedules.create_schedule(maker(schedule), agent_id=schedule.agent_id, wanted=wanted())
