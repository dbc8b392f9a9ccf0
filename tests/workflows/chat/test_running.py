"""Workflows as tools of a chat: run with the rights of whoever talks, once for each call, with inputs that fit."""

import threading
from typing import Any

import pytest
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from agents_hub.models import Agent
from security.models import AuditEntry
from tests.agents_hub.chat.calling import called, offered
from tests.agents_hub.factories import member_of
from tests.factories import caller_for, make_key
from tests.threads import at_once
from tests.workflows.chat.desks import publish, published, run_tool
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import way
from tests.workflows.tasks import END, done, task
from workflows.chat.source import WorkflowRuns
from workflows.models import Execution

pytestmark = pytest.mark.django_db


def test_a_workflow_is_run_as_whoever_talks_and_its_id_comes_back(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization, description="Gives berths.")
    tool = run_tool(member, agent, desk)
    assert "Gives berths. " in tool.description
    assert tool.parameters["properties"]["inputs"]["required"] == ["order", "shop"]
    heard: list[str] = []
    outcome = called(tool, member, say=heard.append, inputs={"order": "A-1", "shop": "quay"})
    execution = Execution.objects.get()
    assert outcome.structured["executionId"] == str(execution.pk)
    assert outcome.structured["status"] == "starting"
    assert outcome.structured["url"].endswith(f"/dashboard/workflows/executions/{execution.pk}/")
    assert (execution.runner_id, execution.agent, execution.trigger) == (member.user_id, desk, "ui")
    assert execution.inputs == {"order": "A-1", "shop": "quay"}
    assert [str(execution.pk) in said for said in heard] == [True]
    assert AuditEntry.objects.get(action="execution.start").door == "chat"


def test_a_run_asked_for_with_a_key_says_so(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    key, _ = make_key()
    program = Caller(member.user_id, Scope.WRITE, Door.CHAT, api_key_id=key.pk)
    called(run_tool(program, agent, desk), program, inputs={"order": "A-1", "shop": "quay"})
    execution = Execution.objects.get()
    assert (execution.trigger, execution.api_key) == ("api", key)


def test_an_agent_runs_its_own_workflow(agent: Agent, member: Caller) -> None:
    publish(WorkflowFactory(agent=agent))
    assert [one.id for one in WorkflowRuns().choices(member, agent)] == [str(agent.pk)]
    assert [tool.title for tool in offered("workflows", member, agent, agent.pk).tools] == [
        "Run Receptionist",
        "Look at a run",
    ]


def test_the_call_that_is_made_again_with_its_key_starts_nothing_more(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    tool, inputs = run_tool(member, agent, desk), {"order": "A-1", "shop": "quay"}
    first = called(tool, member, key="one", inputs=inputs)
    again = called(tool, member, key="one", inputs=inputs)
    other = called(tool, member, key="two", inputs=inputs)
    assert first.structured["executionId"] == again.structured["executionId"] != other.structured["executionId"]
    assert Execution.objects.count() == 2
    assert AuditEntry.objects.filter(action="execution.start").count() == 2


def test_a_key_names_nothing_of_somebody_else(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    colleague = caller_for(member_of(agent.organization), Scope.WRITE, Door.CHAT)
    tool, inputs = run_tool(member, agent, desk), {"order": "A-1", "shop": "quay"}
    mine = called(tool, member, key="one", inputs=inputs)
    theirs = called(tool, colleague, key="one", inputs=inputs)
    assert mine.structured["executionId"] != theirs.structured["executionId"]


@pytest.mark.django_db(transaction=True)
def test_the_same_call_made_twice_at_once_starts_one_run(agent: Agent, member: Caller, settings: Settings) -> None:
    settings.QUICK_THREADS = 2
    desk = published(organization=agent.organization)
    tool, ready = run_tool(member, agent, desk), threading.Barrier(4)

    def call() -> str:
        ready.wait(timeout=10)
        outcome = called(tool, member, key="one", inputs={"order": "A-1", "shop": "quay"})
        return str(outcome.structured["executionId"])

    ids = at_once(*[call] * 4)
    assert set(ids) == {str(Execution.objects.get().pk)}


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({}, "The workflow asks for order, shop"),
        ({"inputs": {"order": "A-1"}}, "The workflow asks for shop"),
        ({"inputs": {"order": "A-1", "shop": "q", "berth": "3"}}, "no input berth. It has: order, shop"),
        ({"inputs": "A-1"}, "inputs is an object"),
        ({"order": "A-1", "shop": "q"}, "no argument order, shop"),
        ({"inputs": {"order": "A-1", "shop": "q"}, "wait": 121}, "from 0 to 120"),
        ({"inputs": {"order": "A-1", "shop": "q"}, "wait": "long"}, "from 0 to 120"),
        ({"inputs": {"order": "A-1", "shop": "q"}, "wait": True}, "from 0 to 120"),
    ],
)
def test_arguments_that_do_not_fit_are_told_and_start_nothing(
    agent: Agent, member: Caller, arguments: dict[str, Any], fault: str
) -> None:
    desk = published(organization=agent.organization)
    outcome = called(run_tool(member, agent, desk), member, **arguments)
    assert outcome.is_error
    assert fault in outcome.text
    assert not Execution.objects.exists()


def test_the_version_in_force_is_run_also_where_another_was_published_since(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    tool = run_tool(member, agent, desk)
    newer = WorkflowFactory(agent=desk)
    publish(newer, version=2)
    called(tool, member, inputs={"order": "A-1", "shop": "quay"})
    assert Execution.objects.get().workflow == newer
    assert run_tool(member, agent, desk).digest != tool.digest


def test_inputs_that_programs_would_trip_over_are_only_names(agent: Agent, member: Caller) -> None:
    words = "{{.wait}} {{.inputs}} {{._hidden}} {{.model_config}} {{.schema}}"
    desk = published(task("read", done(), words=words), END, way("read", "end"), organization=agent.organization)
    inputs = dict.fromkeys(("wait", "inputs", "_hidden", "model_config", "schema"), "x")
    assert not called(run_tool(member, agent, desk), member, inputs=inputs).is_error
    assert Execution.objects.get().inputs == inputs
