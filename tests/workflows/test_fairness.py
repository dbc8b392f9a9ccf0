"""Workers are given out fairly: whose turn it is is decided when one is free, and who has had a slice gives way."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.utils import timezone

from tests.agents_hub.api.door import fault, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows import tasks
from workflows.engine import admission, fairness, stopping, store, worktime
from workflows.engine.moves import NodeResult
from workflows.engine.run import go_on
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held
from workflows.engine.watch import watch
from workflows.engine.work import Work
from workflows.models import Activity, Checkpoint, Execution, Step, Workflow
from workflows.nodes import kinds
from workflows.services import wishes
from workflows.services.executions import RETRY_SECONDS

pytestmark = pytest.mark.django_db

Act = Callable[[Work], Any]


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch has a connection of its own, which does not see a test's transaction."""
    monkeypatch.setattr(watch, "over", lambda *_: nullcontext())


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The messages by which workers are called, as they would be sent."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(tasks.run_next_execution, "apply_async", lambda *_, **options: sent.append(options))
    monkeypatch.setattr(tasks.run_next_execution, "delay", lambda: sent.append({}))
    return sent


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Act], None]:
    """Has nodes of type `url` do what the test says."""

    def use(act: Act) -> None:
        def carry_out(work: Work) -> NodeResult:
            act(work)
            return NodeResult(variables={work.node.id: work.step})

        monkeypatch.setitem(kinds._kinds, "url", carry_out)

    use(lambda work: None)
    return use


@pytest.fixture
def _brief_slices(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over as soon as they begin."""
    settings.WORKFLOW_SLICE_SECONDS = 0
    monkeypatch.setattr(worktime, "LOOK_SECONDS", 0)


def workflow(steps: int = 2) -> Workflow:
    names = [f"n{number}" for number in range(steps)]
    ways = [way(source, target, "outcome_success") for source, target in zip(names, [*names[1:], "end"], strict=True)]
    drawn = graph(*(node(name, "url") for name in names), node("end", "output"), *ways)
    made: Workflow = WorkflowFactory(agent=AgentFactory(), graph=drawn)
    return made


def placed(of: Workflow, count: int = 1) -> list[Execution]:
    """Executions that have their places, in this order."""
    return [ExecutionFactory(workflow=of, admitted_at=timezone.now()) for _ in range(count)]


def claimed(count: int) -> list[Execution]:
    found = [fairness.claim_next() for _ in range(count)]
    return [Execution.objects.get(pk=held.id) for held in found if held is not None]


def test_a_free_worker_goes_to_whoever_has_the_fewest() -> None:
    busy, quiet = workflow(), workflow()
    many, [single] = placed(busy, 3), placed(quiet)
    assert claimed(5) == [many[0], single, many[1], many[2]]


def test_among_equals_a_worker_goes_to_whoever_got_one_least_recently() -> None:
    """Though with one worker nobody is at work when it is given out, and the busy one's others have waited longer."""
    busy, quiet = workflow(), workflow()
    many = placed(busy, 3)
    held = fairness.claim_next()
    [single] = placed(quiet)
    assert held is not None
    store.commit(held, {"status": Status.CANCELLED}, [])
    assert claimed(3) == [single, many[1], many[2]]


def test_one_without_a_place_or_with_a_worker_or_paused_is_not_taken() -> None:
    one, of = workflow(), workflow()
    ExecutionFactory(workflow=one)
    ExecutionFactory(workflow=of, status=Status.PAUSED)
    [there] = placed(of)
    assert claimed(2) == [there]
    assert fairness.claim_next() is None


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
    said = Activity.objects.filter(execution=first).order_by("number")
    assert [line.payload.get("status", line.type) for line in said] == [
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


def test_a_worker_is_called_for_each_that_got_a_place_and_for_each_that_lost_one(called: Any) -> None:
    ExecutionFactory.create_batch(3, workflow=workflow())
    tasks.let_in()
    assert called == [{}] * 3
    tasks.sweep()
    assert called == [{}] * 3, "none of them has waited long"
    assert fairness.claim_next()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL")
    tasks.sweep()
    tasks.sweep()
    assert called == [{}] * 4


def test_what_waits_for_long_has_one_more_message_a_sweep_which_nobody_keeps(called: Any) -> None:
    """While all workers are busy it is worth nothing, and it would pile up."""
    placed(workflow(), 3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET admitted_at = clock_timestamp() - interval '1 minute'")
    tasks.sweep()
    assert called == [{"kwargs": {"messages_are_lost": True}, "expires": tasks.SWEEP_SECONDS}]
    assert tasks.BEAT["workflows: take up what was lost, and let in what waits"]["options"]["expires"] <= 5


def test_a_worker_called_for_lost_messages_calls_the_next_one(during: Any, called: Any) -> None:
    placed(workflow(), 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET admitted_at = clock_timestamp() - interval '1 minute'")
    tasks.run_next_execution(messages_are_lost=True)
    assert [options["kwargs"] for options in called] == [{"messages_are_lost": True}]
    tasks.run_next_execution(messages_are_lost=True)
    assert len(called) == 1


def test_a_worker_that_is_to_stop_takes_nothing_and_passes_its_message_on(
    called: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed(workflow())
    monkeypatch.setattr(stopping, "is_asked", lambda: True)
    tasks.run_next_execution()
    assert Execution.objects.get().fence == 0
    assert called == [{}]


def test_a_start_beyond_what_may_wait_is_refused_and_says_when_to_try_again(settings: Any) -> None:
    settings.WORKFLOW_MOST_WAITING = 2
    busy, quiet = workflow(), workflow()
    ExecutionFactory.create_batch(2, workflow=busy)
    refused = start(busy)
    assert (refused.status_code, refused["Retry-After"]) == (429, str(RETRY_SECONDS))
    assert "2 executions of the organization are waiting" in fault(refused)[1]
    assert start(quiet).status_code == 200
    admission.admit()
    assert start(busy).status_code == 200


def start(version: Workflow) -> HttpResponse:
    """Somebody of its organization runs it by the REST API."""
    key = rest(member_of(version.agent.organization))
    return key.post(f"agents/{version.agent_id}/workflows/{version.pk}/execute", {"inputVariables": {}})


def test_places_are_given_without_reading_all_that_wait(settings: Any) -> None:
    """Of each agent only as many are looked at as may have a place."""
    of = workflow()
    Execution.objects.bulk_create(ExecutionFactory.build_batch(3_000, workflow=of))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workflows_execution")
        limits = {"places": 50, "per_organization": 10, "per_agent": 5}
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {admission.NEXT}", limits)
        plan = cursor.fetchone()[0][0]["Plan"]
    read = [part for part in parts_of(plan) if part.get("Relation Name") == "workflows_execution"]
    assert max(part["Actual Rows"] for part in read) <= 5


def parts_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(part for inner in plan.get("Plans", []) for part in parts_of(inner))]
