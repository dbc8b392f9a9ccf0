"""AI tasks whose history grows too long, with a provider that is asked over a socket."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from agents_hub.models import Agent
from llm.models import Provider
from tests.agents_hub.factories import AgentFactory
from tests.fakes.model_provider import Fault, ModelProvider, Reply, model_provider
from tests.llm.rows import provider_row
from tests.workflows.graphs import node, way
from tests.workflows.tasks import END, on, started, told
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.task import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]
TOO_LONG = Fault(400, code="context_length_exceeded", message="This model's maximum context length is 8192 tokens.")
READ = Reply(pieces=(), calls=(("agent_query_context", json.dumps({"name": "log"})),), input=500)
DONE = Reply(pieces=(), calls=(("complete_task", json.dumps({"summary": "Done."})),), input=500)
SUMMARY = Reply(pieces=("The log is all y.",), input=500, output=7)


@pytest.fixture
def model(settings: Settings) -> Iterator[ModelProvider]:
    settings.OUTBOUND_ALLOW_LOCAL = True
    with model_provider() as served:
        yield served


@pytest.fixture
def agent(model: ModelProvider) -> Agent:
    made: Agent = AgentFactory()
    provider_row(made.organization, model)
    return made


def run(agent: Agent, characters: int = 9_000, **options: Any) -> Execution:
    """A task that is given a log of so many characters to look up."""
    look = node("look", properties={"instructions": "Look.", "tools": ["agent_query_context"]})
    return on(started(look, END, way("look", "end"), agent=agent, inputs={"log": "y" * characters}, **options)[1])


def kinds(execution: Execution) -> list[str]:
    """What was told of making it short."""
    found = execution.activities.order_by("number").values_list("type", flat=True)
    return [kind for kind in found if kind.startswith("compaction")]


def said(request: Any) -> str:
    return json.dumps(request.body["messages"])


def test_results_that_fill_the_providers_window_are_made_short_before_the_next_question(
    agent: Agent, model: ModelProvider
) -> None:
    Provider.objects.update(context_window=4_000)
    model.answers += [READ, SUMMARY, DONE]
    execution = run(agent)
    assert execution.state == Status.COMPLETED, execution.failure
    assert kinds(execution) == ["compaction_started", "compaction_performed"]
    assert "getting too long" in said(model.seen[1])
    assert model.seen[1].body["tool_choice"] == "none"
    assert "yyy" not in said(model.seen[2])
    assert "The log is all y." in said(model.seen[2])


def test_a_summary_that_is_not_written_is_not_asked_for_before_each_answer(agent: Agent, model: ModelProvider) -> None:
    Provider.objects.update(context_window=4_000)
    model.answers += [READ, READ, READ, READ, DONE]
    execution = run(agent)
    assert execution.state == Status.COMPLETED, execution.failure
    assert kinds(execution).count("compaction_started") == 1
    assert "the model wrote nothing" in json.dumps(told(execution))


def test_what_is_too_long_for_a_model_of_unknown_window_is_made_short_and_asked_again(
    agent: Agent, model: ModelProvider
) -> None:
    model.answers += [READ, TOO_LONG, TOO_LONG, SUMMARY, DONE]
    execution = run(agent, 40_000)
    assert execution.state == Status.COMPLETED, execution.failure
    assert said(model.seen[1]).count("y") > 40_000 > said(model.seen[2]).count("y") > said(model.seen[3]).count("y") > 0
    assert "The log is all y." in said(model.seen[4])


def test_a_first_question_that_is_too_long_fails_and_says_so(agent: Agent, model: ModelProvider) -> None:
    model.answers.append(TOO_LONG)
    execution = run(agent)
    assert "the input is longer than the model takes (400)" in execution.failure
    assert kinds(execution) == []


def test_a_history_made_short_keeps_that_the_time_is_nearly_up(
    agent: Agent, model: ModelProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    Provider.objects.update(context_window=4_000)
    monkeypatch.setattr(clock.Clock, "seconds_left", 1)
    model.answers += [READ, SUMMARY, DONE]
    execution = run(agent, options={"softTimeoutMins": 1})
    assert execution.state == Status.COMPLETED, execution.failure
    assert [said(request).count("nearly up") for request in model.seen] == [1, 1, 1]
