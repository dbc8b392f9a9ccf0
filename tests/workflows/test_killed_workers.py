"""A worker killed at each point where it hurts: another goes on, and nothing that was done is done again."""

from collections.abc import Callable, Iterator

import pytest

from accounts.caller import Caller
from llm.telling import UNKNOWN
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.fakes.model_provider import ModelProvider, Reply, model_provider
from tests.llm.rows import provider_row
from tests.workflows.crowd import Workers, wait_until
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import END, call, done, failures, task, told
from workflows.engine.states import Status
from workflows.models import Execution, Step
from workflows.services import wishes

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


def shipping() -> tuple[Caller, Execution]:
    """An execution whose AI task ships something, asks which, and is done."""
    ask = call("ask_user", questions=[{"question": "Which?"}])
    look = task("look", call("ship", text="order 1"), ask, done(size="large"), tools=("ship", "ask_user"))
    workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(look, END, way("look", "end")))
    return caller_for(member_of(workflow.agent.organization)), ExecutionFactory(workflow=workflow)


def becomes(execution: Execution, status: Status) -> Callable[[], bool]:
    def is_so() -> bool:
        execution.refresh_from_db()
        assert execution.state == status or not execution.state.is_terminal, execution.failure
        return execution.state == status

    return is_so


@pytest.mark.parametrize(
    ("point", "is_unknown"),
    [
        ("before the claim", False),
        ("in a model call", False),
        ("in an action", True),
        ("between action and commit", True),
        ("while a question waits", False),
    ],
)
def test_another_goes_on_and_repeats_nothing(workers: Callable[..., Workers], point: str, is_unknown: bool) -> None:
    caller, execution = shipping()
    crowd = workers(TEST_WORKERS_DIE=point)
    both = [crowd.worker(), crowd.worker()]
    wait_until(becomes(execution, Status.PAUSED_BY_AGENT))
    if point == "while a question waits":
        for each in both:
            each.kill()
        crowd.worker()
    else:
        wait_until(lambda: any(each.poll() == -9 for each in both))
    wishes.add_message(caller, execution_id=execution.pk, text="The large one.")
    wait_until(becomes(execution, Status.COMPLETED))
    assert crowd.shipped() == [f"{execution.pk}/1/look/1.1"]
    assert failures(execution) == ([UNKNOWN] if is_unknown else [])
    assert execution.variables == {"size": "large"}
    assert list(Step.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    statuses = [payload["status"] for payload in told(execution) if "status" in payload]
    assert statuses == ["running", "paused_by_agent", "running", "completed"]


@pytest.fixture
def provider() -> Iterator[ModelProvider]:
    with model_provider() as served:
        yield served


def thinking(provider: ModelProvider) -> tuple[Caller, Execution]:
    """An execution whose AI task is thought about by a model that stops in the midst of its first answer."""
    finish = (("complete_task", '{"summary": "Done.", "variables": {"size": "large"}}'),)
    provider.answers.extend([Reply(held=True), Reply(pieces=(), calls=finish)])
    look = node("look", properties={"instructions": "Find out the size."})
    workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(look, END, way("look", "end")))
    provider_row(workflow.agent.organization, provider)
    return caller_for(member_of(workflow.agent.organization)), ExecutionFactory(workflow=workflow)


def test_a_worker_killed_while_a_model_answers_is_followed_by_one_that_asks_again(
    workers: Callable[..., Workers], provider: ModelProvider
) -> None:
    _, execution = thinking(provider)
    crowd = workers(TEST_WORKERS_LOCAL="1")
    first = crowd.worker()
    assert provider.halfway.wait(120)
    first.kill()
    crowd.worker()
    wait_until(becomes(execution, Status.COMPLETED))
    lost, asked_again = provider.seen
    assert asked_again.body["messages"] == lost.body["messages"]
    assert execution.variables == {"size": "large"}
    assert list(Step.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert [payload["status"] for payload in told(execution) if "status" in payload] == ["running", "completed"]


def test_what_a_person_paused_is_resumed_though_all_workers_were_killed_meanwhile(
    workers: Callable[..., Workers], provider: ModelProvider
) -> None:
    caller, execution = thinking(provider)
    crowd = workers(TEST_WORKERS_LOCAL="1")
    first = crowd.worker()
    assert provider.halfway.wait(120)
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.PAUSED)
    provider.go.set()  # a pause waits for the answer under way
    wait_until(becomes(execution, Status.PAUSED))
    first.kill()
    second = crowd.worker()
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    wait_until(becomes(execution, Status.COMPLETED))
    assert second.poll() is None
    assert execution.variables == {"size": "large"}
    statuses = [payload["status"] for payload in told(execution) if "status" in payload]
    assert statuses == ["running", "paused", "running", "completed"]
