"""Going on by another version: from the next step on, or when the execution is taken up again; over the REST API."""

from typing import Any

import pytest

from accounts.models import User
from tests.agents_hub.api.door import Rest, fault, read, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import Parts, graph, node, way
from tests.workflows.tasks import END, call, done, task
from workflows.engine import admission
from workflows.engine.moves import NodeResult
from workflows.engine.run import drive
from workflows.engine.work import Work
from workflows.models import Activity, Execution, Workflow
from workflows.nodes import kinds

pytestmark = pytest.mark.django_db


class Room:
    """An agent, somebody of its organization with a key, and what its nodes did."""

    def __init__(self) -> None:
        self.agent = AgentFactory()
        self.person: User = member_of(self.agent.organization)
        self.key: Rest = rest(self.person)
        self.visited: list[tuple[str, str]] = []
        # Asked for while the node of this id is at work: a path and a body.
        self.meanwhile: dict[str, tuple[str, Any]] = {}

    def version(self, *parts: Parts, **settings: Any) -> Workflow:
        made: Workflow = WorkflowFactory(agent=self.agent, graph=graph(*parts))
        return WorkflowFactory(agent=self.agent, graph=made.graph, settings=made.settings | settings)

    def start(self, version: Workflow, **inputs: Any) -> Execution:
        path = f"agents/{self.agent.pk}/workflows/{version.pk}/execute"
        started = read(self.key.post(path, {"inputVariables": inputs}))
        return Execution.objects.get(pk=started["executionId"])

    def sync(self, execution: Execution, version: Workflow) -> Any:
        return self.key.post(*self.to_sync(execution, version))

    def to_sync(self, execution: Execution, version: Workflow) -> tuple[str, Any]:
        path = f"agents/{self.agent.pk}/workflows/{version.pk}/sync-execution"
        return path, {"executionId": str(execution.pk)}

    def ask(self, execution: Execution, status: str) -> Any:
        return self.key.post(*self.to_ask(execution, status))

    def to_ask(self, execution: Execution, status: str) -> tuple[str, Any]:
        return f"executions/{execution.pk}/status", {"status": status}

    def work(self, execution: Execution) -> Execution:
        admission.admit()
        assert drive(execution.pk)
        execution.refresh_from_db()
        return execution


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, unwatched: None) -> Room:
    """Nodes of type `url` note that they were visited, by their ids and names."""
    room = Room()

    def visit(work: Work) -> NodeResult:
        room.visited.append((work.node.id, work.node.name))
        if work.node.id in room.meanwhile:
            assert room.key.post(*room.meanwhile.pop(work.node.id)).status_code == 200
        return NodeResult()

    monkeypatch.setitem(kinds._kinds, "url", visit)
    return room


def two(second: str, **fields: Any) -> list[Parts]:
    """Two nodes in a row and the end; what the second is called tells the versions apart."""
    return [
        node("a", "url"),
        node("b", "url", name=second, **fields),
        END,
        way("a", "b", "outcome_success"),
        way("b", "end", "outcome_success"),
    ]


def said(execution: Execution) -> list[str]:
    lines = Activity.objects.filter(execution=execution, type="generic").order_by("number")
    return [line.payload["message"] for line in lines]


def test_a_running_execution_takes_its_next_step_by_the_new_version(room: Room) -> None:
    new = room.version(*two("New"))
    execution = room.start(room.version(*two("Old")))
    room.meanwhile["a"] = room.to_sync(execution, new)
    assert room.work(execution).status == "completed"
    assert room.visited == [("a", "A"), ("b", "New")]
    assert (execution.workflow, execution.sync_to) == (new, None)
    assert said(execution) == [f"{new} will be used from the next step on.", f"Continuing with {new} from here on."]
    updated = Activity.objects.get(execution=execution, type="workflow_updated")
    assert updated.payload == {"workflowUpdate": [{"updateType": "edit", "nodeDetails": {"id": "b", "name": "New"}}]}


def test_pause_mend_sync_resume(room: Room) -> None:
    """What a person does about a run that goes wrong: the very next step goes by what was mended."""
    execution = room.start(room.version(*two("Old")))
    room.meanwhile["a"] = room.to_ask(execution, "paused")
    assert room.work(execution).status == "paused"
    assert room.sync(execution, room.version(*two("New"))).status_code == 200
    assert room.ask(execution, "running").status_code == 200
    assert room.work(execution).status == "completed"
    assert room.visited == [("a", "A"), ("b", "New")]


def test_a_pause_and_a_sync_asked_for_together_both_come_about(room: Room) -> None:
    execution = room.start(room.version(*two("Old")))
    assert room.sync(execution, room.version(*two("New"))).status_code == 200
    room.meanwhile["a"] = room.to_ask(execution, "paused")
    room.work(execution)
    room.ask(execution, "running")
    room.work(execution)
    assert (execution.status, room.visited) == ("completed", [("a", "A"), ("b", "New")])


def test_one_that_has_not_begun_begins_at_the_new_versions_start(room: Room) -> None:
    execution = room.start(room.version(*two("Old")))
    other = room.version(node("first", "url"), END, way("first", "end", "outcome_success"))
    assert room.sync(execution, other).status_code == 200
    room.work(execution)
    assert (execution.status, room.visited) == ("completed", [("first", "First")])


def test_one_whose_worker_was_lost_goes_on_by_the_new_version(room: Room) -> None:
    execution = room.start(room.version(*two("Old")))
    admission.admit()
    Execution.objects.filter(pk=execution.pk).update(status="running", node_id="b", step_count=1)
    assert room.sync(execution, room.version(*two("New"))).status_code == 200
    room.work(execution)
    assert room.visited == [("b", "New")]


def test_a_question_that_waits_is_answered_into_the_new_version(room: Room) -> None:
    """What the step did so far stays known to it; the instructions are the new ones."""
    ask, tools = call("ask_user", questions=[{"question": "Which?"}]), ("ask_user",)
    old = room.version(task("look", ask, done(by="old"), tools=tools), END, way("look", "end"))
    new = room.version(task("look", ask, done(by="new"), tools=tools), END, way("look", "end"))
    execution = room.start(old)
    assert room.work(execution).status == "paused_by_agent"
    assert room.sync(execution, new).status_code == 200
    room.key.post(f"executions/{execution.pk}/user-messages", {"message": "This one."})
    room.work(execution)
    assert (execution.status, execution.variables) == ("completed", {"by": "new"})


def asking(*more: Parts) -> list[Parts]:
    """A task that asks, with parts before it."""
    ask = task("look", call("ask_user", questions=[{"question": "Which?"}]), done(), tools=("ask_user",))
    return [*more, ask, END, way("look", "end")]


def test_a_question_of_the_first_node_is_gone_on_from_though_another_is_the_start_now(room: Room) -> None:
    execution = room.start(room.version(*asking()))
    room.work(execution)
    new = room.version(*asking(node("before", "url")), way("before", "look", "outcome_success"))
    assert room.sync(execution, new).status_code == 200
    room.key.post(f"executions/{execution.pk}/user-messages", {"message": "This one."})
    room.work(execution)
    assert (execution.status, room.visited) == ("completed", [])


def test_a_version_without_the_first_node_is_refused_once_that_has_begun(room: Room) -> None:
    execution = room.start(room.version(*asking()))
    room.work(execution)
    code, message = fault(room.sync(execution, room.version(*two("New"))))
    assert code == 409
    assert "the node look" in message


def test_what_was_begun_is_of_no_use_to_a_node_of_another_type(room: Room) -> None:
    ask, tools = call("ask_user", questions=[{"question": "Which?"}]), ("ask_user",)
    old = room.version(task("look", ask, done(), tools=tools), END, way("look", "end"))
    execution = room.start(old)
    room.work(execution)
    other = room.version(node("look", "url"), END, way("look", "end", "outcome_success"))
    assert room.sync(execution, other).status_code == 200
    room.key.post(f"executions/{execution.pk}/user-messages", {"message": "This one."})
    room.work(execution)
    assert (execution.status, room.visited) == ("completed", [("look", "Look")])
    assert not execution.checkpoints.exists()


def test_another_time_limit_holds_from_then_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for the worker that has it in hand."""
    left: list[float] = []

    def visit(work: Work) -> NodeResult:
        left.append(work.seconds_left)
        if work.node.id == "a":
            room.sync(work.execution, room.version(*two("New"), max_timeout_mins=5))
        return NodeResult()

    monkeypatch.setitem(kinds._kinds, "url", visit)
    room.work(room.start(room.version(*two("Old"), max_timeout_mins=60)))
    assert left == pytest.approx([3600, 300], abs=60)


def test_a_version_that_asks_for_more_than_was_given_is_refused_and_names_it(room: Room) -> None:
    execution = room.start(room.version(*two("Old")), order=7)
    new = room.version(*two("New", properties={"url": "https://shop.example/{{.order}}/{{.color}}"}))
    code, message = fault(room.sync(execution, new))
    assert code == 400
    assert "color" in message
    assert "order" not in message
    execution.refresh_from_db()
    assert execution.sync_to is None


def test_a_version_without_the_node_where_it_stands_is_refused(room: Room) -> None:
    execution = room.start(room.version(*two("Old")))
    room.meanwhile["a"] = room.to_ask(execution, "paused")
    room.work(execution)
    code, message = fault(room.sync(execution, room.version(node("a", "url"), END, way("a", "end", "outcome_success"))))
    assert code == 409
    assert "the node b" in message


def test_one_that_comes_to_a_node_that_is_gone_fails_and_says_so(room: Room) -> None:
    new = room.version(node("a", "url"), END, way("a", "end", "outcome_success"))
    execution = room.start(room.version(*two("Old")))
    room.meanwhile["a"] = room.to_sync(execution, new)
    room.work(execution)
    assert (execution.status, execution.failure) == ("failed", f"{new} has no node b, where the execution was.")


def test_a_draft_that_an_execution_is_to_go_on_by_is_not_deleted(room: Room) -> None:
    execution, new = room.start(room.version(*two("Old"))), room.version(*two("New"))
    listed = f"agents/{room.agent.pk}/workflows"
    assert [one["isDeletable"] for one in read(room.key.get(listed)) if one["id"] == str(new.pk)] == [True]
    room.sync(execution, new)
    assert [one["isDeletable"] for one in read(room.key.get(listed)) if one["id"] == str(new.pk)] == [False]
    code, _ = fault(room.key.ask("DELETE", f"{listed}/{new.pk}"))
    assert code == 409


def test_a_pause_asked_for_in_the_step_before_a_question_comes_about_after_the_answer(room: Room) -> None:
    first, second, end, on, last = two("Second")
    execution = room.start(room.version(first, second, end, on | {"require_confirmation": True}, last))
    room.meanwhile["a"] = room.to_ask(execution, "paused")
    assert room.work(execution).status == "awaiting_confirmation"
    assert "paused" in read(room.ask(execution, "running"))
    execution.refresh_from_db()
    assert (execution.status, execution.wanted, room.visited) == ("paused", "", [("a", "A")])
    room.ask(execution, "running")
    assert room.work(execution).status == "completed"
