"""Executions through the services and a worker's own function: they run to the end, stop where told, and go on."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission, store
from workflows.engine.moves import NodeResult
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held
from workflows.engine.watch import watch
from workflows.engine.work import Interrupt, Waiting, Work
from workflows.engine.worktime import WorkTime
from workflows.models import Activity, Checkpoint, Execution, Step, Workflow
from workflows.nodes import kinds
from workflows.services import executions, wishes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch has a connection of its own, which does not see a test's transaction."""
    monkeypatch.setattr(watch, "over", lambda *_: nullcontext())


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Work], Any]], None]:
    """Has nodes of type `url` do what the test says."""

    def use(act: Callable[[Work], Any]) -> None:
        def carry_out(work: Work) -> NodeResult:
            act(work)
            return NodeResult(variables={work.node.id: work.step})

        monkeypatch.setitem(kinds._kinds, "url", carry_out)

    use(lambda work: None)
    return use


def started(*parts: dict[str, Any], inputs: dict[str, Any] | None = None, **settings: Any) -> tuple[Caller, Execution]:
    """An execution of a graph of these parts, with its place."""
    workflow: Workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(*parts))
    if settings:
        workflow = WorkflowFactory(
            agent=workflow.agent, graph=workflow.graph, settings={**workflow.settings, **settings}
        )
    caller = caller_for(member_of(workflow.agent.organization))
    execution = executions.start(caller, workflow=workflow, inputs=inputs or {})
    admission.admit()
    return caller, execution


def line(count: int) -> list[dict[str, Any]]:
    """`count` nodes of type url in a row, and the end."""
    names = [f"n{number}" for number in range(count)]
    ways = [way(source, target, "outcome_success") for source, target in zip(names, [*names[1:], "end"], strict=True)]
    return [*(node(name, "url") for name in names), node("end", "output"), *ways]


def in_step(number: int, act: Callable[[], Any]) -> Callable[[Work], Any]:
    """Acts in the step of that number alone."""
    return lambda work: act() if work.step == number else None


def types(execution: Execution) -> list[str]:
    found = Activity.objects.filter(execution=execution).order_by("number")
    return [one.payload.get("status", one.type) for one in found]


def test_a_run_goes_from_the_start_to_the_end(during: Any) -> None:
    _, execution = started(*line(2))
    assert drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.outcome, execution.variables) == ("completed", "done", {"n0": 1, "n1": 2})
    assert list(Step.objects.order_by("number").values_list("number", "node_id")) == [(1, "n0"), (2, "n1"), (3, "end")]
    assert types(execution) == [
        "running",
        *["step_started", "step_completed", "transitioned_node"] * 2,
        "step_started",
        "step_completed",
        "completed",
    ]
    numbers = Activity.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, execution.activity_count + 1))


def test_a_page_that_nobody_looks_at_takes_no_transition(during: Any) -> None:
    seen = {"type": "selector", "name": "seen", "selector": "a"}
    _, execution = started(node("a", "url"), node("end", "output"), way("a", "end", "selector", properties=seen))
    assert drive(execution.pk)
    execution.refresh_from_db()
    assert execution.failure == (
        "The one transition from “A” was not taken. Selectors are looked for on a page, and this installation has no "
        "browser yet."
    )


def test_an_execution_without_a_place_is_not_taken_up(during: Any) -> None:
    workflow = WorkflowFactory(graph=graph(*line(1)))
    execution = executions.start(caller_for(member_of(workflow.agent.organization)), workflow=workflow, inputs={})
    assert not drive(execution.pk)
    admission.admit()
    assert drive(execution.pk)
    assert not drive(execution.pk)


def test_a_missing_input_is_named_before_anything_runs() -> None:
    workflow = WorkflowFactory(
        graph=graph(
            node("a", "url", properties={"url": "{{.site}}"}), *line(1)[1:2], way("a", "end", "outcome_success")
        )
    )
    with pytest.raises(Invalid, match="site"):
        executions.start(caller_for(member_of(workflow.agent.organization)), workflow=workflow, inputs={})
    assert not Execution.objects.exists()


@pytest.mark.parametrize(("wish", "status"), [(Status.PAUSED, "paused"), (Status.CANCELLED, "cancelled")])
def test_a_wish_takes_effect_at_the_next_step(during: Any, wish: Status, status: str) -> None:
    caller, execution = started(*line(3))
    during(in_step(2, lambda: wishes.ask_status(caller, execution_id=execution.pk, status=wish)))
    drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.step_count) == (status, 2)


def test_a_paused_run_goes_on_where_it_stood(during: Any) -> None:
    caller, execution = started(*line(3))
    during(
        lambda work: (
            work.step == 2 and wishes.ask_status(caller, execution_id=execution.pk, status=Status.PAUSED) and None
        )
    )
    drive(execution.pk)
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    admission.admit()
    assert drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    assert list(Step.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3, 4]


def test_asking_one_that_waits_for_its_place_to_run_changes_nothing(during: Any) -> None:
    caller, execution = started(*line(1))
    assert "waiting for a free slot" in wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    execution.refresh_from_db()
    assert (execution.status, execution.activity_count) == ("starting", 0)
    assert drive(execution.pk)


def test_a_confirmation_holds_the_run_until_a_person_gives_it(during: Any) -> None:
    caller, execution = started(
        node("a", "url"), node("end", "output"), way("a", "end", "outcome_success", require_confirmation=True)
    )
    drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.lease_until) == ("awaiting_confirmation", None)
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    admission.admit()
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"


def test_a_worker_that_was_overtaken_stops_and_leaves_no_trace(during: Any) -> None:
    _, execution = started(*line(3))

    def overtake(work: Work) -> None:
        if work.step == 2 and work.held.fence == 1:
            Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
            assert store.claim(execution.pk) is not None

    during(overtake)
    drive(execution.pk)
    assert list(Step.objects.values_list("number", "fence")) == [(1, 1)]
    with pytest.raises(Fenced):
        store.renew(store.Held(execution.pk, 1, 1))


def test_a_step_taken_over_finds_its_checkpoints_and_they_go_with_it(during: Any) -> None:
    _, execution = started(*line(1))
    found: list[int] = []

    def act(work: Work) -> None:
        found.append(len(work.checkpoints))
        if len(found) == 1:
            work.checkpoint(Checkpoint.Kind.MODEL, {"said": "hello"})
            Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
            raise Fenced("the worker was lost")

    during(act)
    drive(execution.pk)
    drive(execution.pk)
    assert found == [0, 1]
    assert not Checkpoint.objects.exists()
    execution.refresh_from_db()
    assert execution.status == "completed"


def test_a_step_that_loses_its_worker_too_often_is_given_up(during: Any, settings: Any) -> None:
    settings.WORKFLOW_MOST_ATTEMPTS = 2
    _, execution = started(*line(1))

    def lose(work: Work) -> None:
        Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
        raise Fenced("the worker was lost")

    during(lose)
    for _ in range(3):
        assert drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "failed"
    assert "2 times in a row" in execution.failure


def test_a_run_that_goes_in_circles_ends_at_its_limit(during: Any) -> None:
    back = way("n1", "n0", "outcome_success")
    parts = [one for one in line(2) if one.get("id") != "n1-end"]
    _, execution = started(
        *parts, back, way("n0", "end", "selector", properties={"name": "x", "selector": "a"}), max_iterations=5
    )
    drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.step_count) == ("cancelled", 5)
    assert Activity.objects.latest("number").payload["cancelledPayload"] == {"reason": "max_steps"}


def test_time_in_which_a_run_waits_does_not_count_against_it(during: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    caller, execution = started(*line(1))
    left: list[float] = []

    def over(held: Held, interrupt: Interrupt, worktime: WorkTime) -> nullcontext[None]:
        left.append(worktime.left)
        return nullcontext()

    monkeypatch.setattr(watch, "over", over)
    most = execution.workflow.settings["max_timeout_mins"] * 60

    def ask(work: Work) -> None:
        if len(left) == 1:
            raise Waiting("Which?", questions=[{"question": "Which?"}], seconds=60)

    during(ask)
    drive(execution.pk)
    long_ago = timezone.now() - timedelta(seconds=10 * most)
    Execution.objects.update(created_at=long_ago, started_at=long_ago, active_seconds=90)
    wishes.add_message(caller, execution_id=execution.pk, text="This one.")
    admission.admit()
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    assert left == pytest.approx([most, most - 90], abs=30)


def test_what_a_run_did_before_it_was_taken_over_counts(during: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its worker is lost in the middle of a step; what it had spent then is in the last checkpoint."""
    _, execution = started(*line(1))
    left: list[float] = []

    def act(work: Work) -> None:
        left.append(work.seconds_left)
        if len(left) == 1:
            work.worktime.before = 59 * 60
            work.checkpoint(Checkpoint.Kind.MODEL, {"said": "hello"})
            lose(execution)

    during(act)
    drive(execution.pk)
    drive(execution.pk)
    most = execution.workflow.settings["max_timeout_mins"] * 60
    assert left == pytest.approx([most, most - 59 * 60], abs=30)


def lose(execution: Execution) -> None:
    """The worker of it is gone, as by kill -9, and its lease is over."""
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
    raise Fenced("the worker was lost")


def test_the_commit_of_a_step_changes_no_index(during: Any) -> None:
    """But for the first and the last, which change the status: what is over stays in the page of its row."""
    _, execution = started(*line(8))
    on_a_page_of_its_own()
    before = versions_written()
    drive(execution.pk)
    written, in_place = (after - earlier for after, earlier in zip(versions_written(), before, strict=True))
    assert written >= 10
    assert written - in_place <= 2


def on_a_page_of_its_own() -> None:
    """What earlier tests left in the page of the row could leave no room for its versions."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("CLUSTER workflows_execution USING workflows_execution_pkey")


def versions_written() -> tuple[int, int]:
    """Of executions' rows in this transaction: in all, and without an index touched."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_xact_user_tables WHERE relname = 'workflows_execution'"
        )
        row: tuple[int, int] = cursor.fetchone()
        return row


@pytest.mark.parametrize("kind", ["url", "playwright_script"])
def test_a_node_nothing_carries_out_fails_the_run_and_says_so(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_kinds", {"output": kinds.find("output")})
    _, execution = started(node("a", kind), node("end", "output"), way("a", "end", "outcome_success"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "failed"
    assert execution.failure == f"“A” is of type {kind}, which this installation does not carry out yet."


def test_a_fault_of_ours_fails_the_run_without_its_words(during: Any) -> None:
    _, execution = started(*line(1))

    def burst(work: Work) -> None:
        raise RuntimeError("secret words")

    during(burst)
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "failed"
    assert "secret words" not in str(Activity.objects.latest("number").payload)


def test_a_message_is_taken_up_by_the_next_step_and_refused_after_the_end(during: Any) -> None:
    caller, execution = started(*line(1))
    wishes.add_message(caller, execution_id=execution.pk, text="Be quick.")
    heard: list[str] = []

    def hear(work: Work) -> None:
        messages = work.unseen_messages()
        heard.extend(message.text for message in messages)
        work.take_up(messages)
        assert work.unseen_messages() == []

    during(hear)
    drive(execution.pk)
    assert heard == ["Be quick."]
    with pytest.raises(Conflict, match="completed"):
        wishes.add_message(caller, execution_id=execution.pk, text="Too late.")


def test_organizations_take_turns_and_no_agent_takes_all(settings: Any) -> None:
    settings.WORKFLOW_PLACES, settings.WORKFLOW_PLACES_PER_ORGANIZATION, settings.WORKFLOW_PLACES_PER_AGENT = 4, 3, 2
    busy, quiet = WorkflowFactory(graph=graph(*line(1))), WorkflowFactory(graph=graph(*line(1)))
    sibling = WorkflowFactory(graph=graph(*line(1)), agent=AgentFactory(organization=busy.agent.organization))
    of_busy = caller_for(member_of(busy.agent.organization))
    many = [executions.start(of_busy, workflow=busy, inputs={}) for _ in range(6)]
    other = [executions.start(of_busy, workflow=sibling, inputs={}) for _ in range(2)]
    single = executions.start(caller_for(member_of(quiet.agent.organization)), workflow=quiet, inputs={})
    assert set(admission.admit()) == {many[0].pk, many[1].pk, other[0].pk, single.pk}
    assert admission.admit() == []


def test_a_run_of_a_quiet_tenant_goes_before_a_thousand_of_a_busy_one(settings: Any) -> None:
    settings.WORKFLOW_PLACES = settings.WORKFLOW_PLACES_PER_ORGANIZATION = settings.WORKFLOW_PLACES_PER_AGENT = 2
    busy, quiet = WorkflowFactory(graph=graph(*line(1))), WorkflowFactory(graph=graph(*line(1)))
    Execution.objects.bulk_create(ExecutionFactory.build_batch(1_000, workflow=busy))
    single = ExecutionFactory(workflow=quiet)
    assert single.pk in admission.admit()


def test_what_lost_its_worker_is_found(during: Any) -> None:
    _, execution = started(*line(1))
    assert admission.lost() == []
    held = store.claim(execution.pk)
    assert held is not None
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET lease_until = clock_timestamp() - interval '1 second'")
    assert admission.lost() == [execution.pk]
