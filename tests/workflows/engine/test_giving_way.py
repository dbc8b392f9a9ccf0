"""Who has had a slice of a worker's time gives way to others, between two steps or at a checkpoint."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.workflows.engine.runs import placed, types, workflow
from tests.workflows.factories import ExecutionFactory
from workflows import tasks
from workflows.engine import fairness, store, worktime
from workflows.engine.run import go_on
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held
from workflows.engine.work import Work
from workflows.models import Checkpoint, Execution, Step
from workflows.services import wishes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]
Act = Callable[[Work], Any]


@pytest.fixture
def _brief_slices(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over as soon as they begin."""
    settings.WORKFLOW_SLICE_SECONDS = 0
    monkeypatch.setattr(worktime, "LOOK_SECONDS", 0)


@pytest.mark.usefixtures("_brief_slices")
def test_a_run_that_had_its_slice_gives_way_between_two_steps_and_goes_on_later(during: Any, called: Any) -> None:
    mine, other = workflow(), workflow()
    [first], _ = placed(mine), placed(other)
    tasks.run_next_execution()
    first.refresh_from_db()
    assert (first.status, first.step_count, first.lease_until, first.attempts) == ("running", 1, None, 0)
    assert called == [{}], "its own message was used up, so it has another"
    for _ in range(20):
        tasks.run_next_execution()
    assert set(Execution.objects.values_list("status", "step_count")) == {("completed", 3)}
    assert Step.objects.count() == 6
    assert types(first) == [
        "running",
        *["step_started", "step_completed", "transitioned_node"] * 2,
        "step_started",
        "step_completed",
        "completed",
    ]


@pytest.mark.usefixtures("_brief_slices")
def test_nobody_gives_way_to_those_who_have_more_workers(during: Any) -> None:
    busy, quiet = workflow(), workflow()
    placed(busy, 3)
    [single] = placed(quiet)
    held = [fairness.claim_next() for _ in range(2)]
    assert {one.id for one in held if one} >= {single.pk}
    assert not fairness.is_another_next(single.pk, single.organization_id)
    [of_busy] = [one for one in held if one and one.id != single.pk]
    assert fairness.is_another_next(of_busy.id, busy.agent.organization_id)


def test_nobody_looks_for_others_before_the_slice_is_over(during: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: Any) -> bool:
        raise AssertionError("it was looked at")

    monkeypatch.setattr(fairness, "is_another_next", look)
    placed(workflow(5))
    tasks.run_next_execution()
    assert Execution.objects.get().status == "completed"


@pytest.mark.usefixtures("_brief_slices")
def test_a_run_gives_way_within_a_step_at_a_checkpoint_and_not_after_an_actions_beginning(
    during: Any, called: Any
) -> None:
    [first] = placed(workflow(1))
    seen: list[list[str]] = []

    def act(work: Work) -> None:
        work.interrupt.check()
        seen.append([point.kind for point in work.checkpoints])
        if len(seen) == 1:
            placed(workflow(1))
            work.checkpoint(Checkpoint.Kind.ACTION_BEGUN, {})
            work.interrupt.check()
            work.checkpoint(Checkpoint.Kind.ACTION_DONE, {})
            work.interrupt.check()
            raise AssertionError("it did not give way")

    during(act)
    tasks.run_next_execution()
    first.refresh_from_db()
    assert (first.status, first.lease_until, first.step_count) == ("running", None, 0)
    assert first.active_seconds > 0
    Execution.objects.exclude(pk=first.pk).delete()
    tasks.run_next_execution()
    first.refresh_from_db()
    assert first.status == "completed"
    assert seen == [[], ["begun", "done"]]


@pytest.mark.usefixtures("_brief_slices")
@pytest.mark.parametrize(("wish", "status"), [(Status.PAUSED, "paused"), (Status.CANCELLED, "cancelled")])
def test_what_people_want_comes_before_giving_way(during: Any, called: Any, wish: Status, status: str) -> None:
    [first] = placed(workflow(1))
    caller = caller_for(member_of(first.organization))

    def act(work: Work) -> None:
        placed(workflow(1))
        work.checkpoint(Checkpoint.Kind.SAID, {})
        wishes.ask_status(caller, execution_id=first.pk, status=wish)
        work.interrupt.check()

    during(act)
    tasks.run_next_execution()
    first.refresh_from_db()
    assert first.status == status


@pytest.mark.usefixtures("_brief_slices")
def test_giving_way_makes_no_loss_of_a_worker_undone(during: Any, settings: Any) -> None:
    """A step that takes its worker with it each time is given up all the same."""
    settings.WORKFLOW_MOST_ATTEMPTS = 2
    [first] = placed(workflow(1))
    turns = iter(["lose", "give way", "lose", "give way"])

    def act(work: Work) -> None:
        if next(turns) == "lose":
            raise Fenced("the worker was lost")
        ExecutionFactory(workflow=workflow(1), admitted_at=timezone.now())
        work.checkpoint(Checkpoint.Kind.SAID, {})
        work.interrupt.check()

    during(act)
    for _ in range(4):
        Execution.objects.exclude(pk=first.pk).delete()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE workflows_execution SET lease_until = NULL")
        held = fairness.claim_next()
        assert held is not None
        go_on(held)
    first.refresh_from_db()
    assert (first.status, "2 times in a row" in first.failure) == ("failed", True)


def test_a_watch_that_comes_late_does_not_take_up_again_what_gave_way() -> None:
    placed(workflow())
    held = fairness.claim_next()
    assert held is not None
    store.give_way(held, {})
    with pytest.raises(Fenced):
        store.renew(held)
    assert fairness.claim_next() == Held(held.id, held.fence + 2, 1)
