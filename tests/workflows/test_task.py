"""AI tasks by the offline model: the real engine, the real actions, and takeovers that repeat nothing."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests.workflows.graphs import node, way
from tests.workflows.tasks import END, call, done, failures, started, task, told
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.engine.store import Fenced
from workflows.models import Activity, Checkpoint, Execution
from workflows.services import wishes
from workflows.task.actions import Action, actions
from workflows.task.builtin import Note

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]
DONE = done(size="large")


def activities(execution: Execution) -> list[str]:
    found = Activity.objects.filter(execution=execution).order_by("number")
    return [one.payload.get("actionName", one.payload.get("status", one.type)) for one in found]


def refusals(execution: Execution) -> list[str]:
    return [line["message"] for line in told(execution, type="generic")]


def test_a_task_acts_and_goes_on_with_what_it_found() -> None:
    note = call("scratchpad_write", text="seen")
    _, execution = started(task("look", note, DONE, tools=("scratchpad_write",)), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.outcome) == ("completed", "done")
    assert execution.variables == {"scratchpad": "seen", "size": "large"}
    assert activities(execution).count("scratchpad_write") == 2
    assert not Checkpoint.objects.exists()


def test_people_see_what_an_action_gave() -> None:
    lines = [call("scratchpad_write", text="x" * 3_000), call("scratchpad_read")]
    tools = ("scratchpad_read", "scratchpad_write")
    _, execution = started(task("look", *lines, DONE, tools=tools), END, way("look", "end"))
    drive(execution.pk)
    written, read = [line["info"] for line in told(execution, type="action_completed")]
    assert written == "Written."
    assert read.startswith("x" * 2_000)
    assert len(read) < 2_100


def test_the_model_chooses_among_the_ways_on() -> None:
    lost = call("complete_task", summary="Lost.", next="Nowhere")
    chosen = call("complete_task", summary="Found.", next="Bad")
    _, execution = started(
        task("look", lost, chosen),
        node("good", "output", properties={"outcomes": ["good"]}),
        node("bad", "output", properties={"outcomes": ["bad"]}),
        way("look", "good"),
        way("look", "bad"),
    )
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.outcome == "bad"


def test_an_action_that_the_node_does_not_list_is_not_there() -> None:
    note = call("scratchpad_write", text="seen")
    _, execution = started(task("look", note, DONE), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.variables == {"size": "large"}
    assert refusals(execution) == ["scratchpad_write was called, and refused: There is no tool scratchpad_write here."]


def test_people_see_each_end_that_was_refused() -> None:
    wrong = call("complete_task", summary="Seen.", variables={"the size": 1})
    _, execution = started(task("look", wrong, call("complete_task"), DONE), END, way("look", "end"))
    drive(execution.pk)
    first, second = refusals(execution)
    assert "complete_task was called, and refused: variables: the size cannot be a name" in first
    assert "summary: Field required" in second


def test_without_a_model_and_a_script_the_run_fails_and_says_so() -> None:
    _, execution = started(node("look"), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "failed"
    assert "No model is configured" in execution.failure


def test_a_script_may_say_something_and_go_on() -> None:
    _, execution = started(task("look", *[{"say": "It is early."}] * 4, DONE), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    assert Activity.objects.filter(type="reasoning", payload={"reasoning": "It is early."}).count() == 4


def test_a_question_waits_for_people_and_their_answer_goes_on() -> None:
    ask = call("ask_user", questions=[{"question": "Which?", "options": [{"label": "A"}]}])
    caller, execution = started(task("look", ask, DONE, tools=("ask_user",)), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "paused_by_agent"
    told = Activity.objects.latest("number").payload["pausedPayload"]["question"]["questions"]
    assert told == [{"question": "Which?", "header": "Question", "options": [{"label": "A", "description": ""}]}]
    wishes.add_message(caller, execution_id=execution.pk, text="A, please.")
    admission.admit()
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"


class Lost(Fenced):
    """The worker is gone: nothing more is committed by it."""


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An action `ship` that alters the world, and after its first time the worker is lost."""
    done: list[str] = []

    async def ship(work: Any, arguments: Note) -> str:
        done.append(arguments.text)
        if len(done) == 1:
            raise Lost("the worker was lost")
        return "Shipped."

    action = Action("ship", "Ship it.", Note, ship, "tests")
    monkeypatch.setitem(actions._actions, "ship", action)
    monkeypatch.setattr("workflows.services.versions.refuse_faults", lambda version: None)
    monkeypatch.setattr("workflows.services.executions.refuse_faults", lambda version: None)
    return done


def let_another_take_over(execution: Execution) -> None:
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())


def test_an_action_under_way_when_the_worker_was_lost_is_not_repeated(acts: list[str]) -> None:
    ship = call("ship", text="order 1")
    _, execution = started(task("look", ship, DONE, tools=("ship",)), END, way("look", "end"))
    drive(execution.pk)
    let_another_take_over(execution)
    drive(execution.pk)
    execution.refresh_from_db()
    assert acts == ["order 1"]
    assert execution.status == "completed"


def test_an_action_that_may_be_repeated_is(acts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    harmless = actions._actions["ship"]
    monkeypatch.setitem(
        actions._actions, "ship", Action("ship", "Ship it.", Note, harmless.perform, "tests", repeatable=True)
    )
    ship = call("ship", text="order 1")
    _, execution = started(task("look", ship, DONE, tools=("ship",)), END, way("look", "end"))
    drive(execution.pk)
    let_another_take_over(execution)
    drive(execution.pk)
    assert acts == ["order 1", "order 1"]
    execution.refresh_from_db()
    assert execution.state == Status.COMPLETED


def test_a_task_looks_up_what_the_run_knows() -> None:
    nothing = call("agent_query_context", name="nothing")
    look = task("again", call("agent_query_context"), nothing, DONE, tools=("agent_query_context",))
    _, execution = started(task("first", DONE), look, END, way("first", "again"), way("again", "end"))
    drive(execution.pk)
    assert failures(execution) == ["Nothing in this run is called nothing. Ask without a name for an overview."]


def test_without_a_model_a_thought_is_refused_and_the_task_goes_on() -> None:
    thought = call("llm_call", prompt="What is it?")
    _, execution = started(task("look", thought, DONE, tools=("llm_call",)), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    assert failures(execution) == ["No model is configured."]


@pytest.mark.parametrize(("chosen", "outcome"), [(None, "good"), ("Bad", "bad")])
def test_beside_a_way_for_success_another_may_be_chosen(chosen: str | None, outcome: str) -> None:
    end = call("complete_task", summary="Seen.", **({"next": chosen} if chosen else {}))
    _, execution = started(
        task("look", end),
        node("good", "output", properties={"outcomes": ["good"]}),
        node("bad", "output", properties={"outcomes": ["bad"]}),
        way("look", "good", "outcome_success"),
        way("look", "bad"),
    )
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.outcome == outcome


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"headers": {"X-Name": "Łovelace"}}, "a header holds “Ł”, and headers hold ASCII alone"),
        ({"headers": {"X-Name": "a\nb"}}, "could not be sent"),
    ],
)
def test_a_request_that_cannot_be_written_is_told_to_the_model(
    arguments: dict[str, Any], said: str, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = True
    request = call("ext_api_call", url="http://127.0.0.1:9/", **arguments)
    _, execution = started(task("look", request, DONE, tools=("ext_api_call",)), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    [failure] = failures(execution)
    assert said in failure


def test_an_action_that_breaks_is_told_to_the_model_and_the_run_goes_on(
    acts: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def break_down(work: Any, arguments: Note) -> str:
        raise KeyError("a fault of ours")

    monkeypatch.setitem(actions._actions, "ship", Action("ship", "Ship it.", Note, break_down, "tests"))
    ship = call("ship", text="order 1")
    _, execution = started(task("look", ship, DONE, tools=("ship",)), END, way("look", "end"))
    drive(execution.pk)
    execution.refresh_from_db()
    assert execution.status == "completed"
    [failure] = failures(execution)
    assert failure.startswith("Something failed on our side. It is in the log under ")
    assert "a fault of ours" in caplog.text
