"""Executions carried out by a worker's own function: from the start to the end, or to where they fail."""

from typing import Any

import pytest
from django.db import connection

from accounts.errors import Invalid
from tests.agents_hub.factories import member_of
from tests.factories import caller_for
from tests.workflows.engine.runs import line, started, types
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.work import Work
from workflows.models import Activity, Execution, Step
from workflows.nodes import kinds
from workflows.services import executions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


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
