"""The demo's workflow and the guide's, which run to their ends without a model."""

import json
import re

import pytest
from django.conf import settings

from accounts.caller import Caller
from accounts.models import User
from agents_hub import demo as agents_demo
from agents_hub.models import Agent
from mcp_gateway.guides import index_guides, search_guides
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import OrganizationFactory, caller_for
from tests.workflows.factories import WorkflowFactory
from workflows import demo
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.models import Execution, Workflow
from workflows.services import executions, wishes

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]

JSON_BLOCK = re.compile(r"^```json\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.fixture
def owner() -> User:
    return member_of(OrganizationFactory())


def go_on(execution: Execution) -> None:
    admission.admit()
    assert drive(execution.pk)
    execution.refresh_from_db()


def say(caller: Caller, execution: Execution, text: str) -> None:
    wishes.add_message(caller, execution_id=execution.pk, text=text)


def test_the_demo_asks_waits_to_be_confirmed_and_ends(owner: User) -> None:
    agents_demo.fill(owner)
    workflow = demo.fill(owner)
    assert workflow is not None
    assert (workflow.version, workflow.inputs) == (1, ["boat", "nights"])
    who = caller_for(owner)
    execution = executions.execute_agent(who, agent_id=workflow.agent_id, inputs={"boat": "Lantern", "nights": "2"})
    go_on(execution)
    assert execution.status == "paused_by_agent"
    assert execution.waiting_for is not None
    assert execution.waiting_for["questions"][0]["question"] == "Which berth does Lantern get?"
    say(who, execution, "North 4")
    go_on(execution)
    assert execution.status == "awaiting_confirmation"
    wishes.ask_status(who, execution_id=execution.pk, status=Status.RUNNING)
    go_on(execution)
    assert (execution.status, execution.failure) == ("completed", "")
    assert (execution.outcome, execution.result) == ("berth given", {"boat": "Lantern", "price_a_night": 24})


def test_filling_again_adds_nothing(owner: User) -> None:
    agents_demo.fill(owner)
    demo.fill(owner)
    assert demo.fill(owner) is None
    assert Workflow.objects.count() == 1


def test_somebody_elses_agent_of_that_name_is_left_alone(owner: User) -> None:
    AgentFactory(name=demo.AGENT)
    assert demo.fill(owner) is None
    assert Agent.objects.count() == 1


def test_the_graph_in_the_guide_runs_as_it_is(owner: User) -> None:
    written = JSON_BLOCK.findall((settings.ROOT / "docs" / "workflows.md").read_text("utf-8"))[0]
    workflow: Workflow = WorkflowFactory(
        agent=AgentFactory(organization=owner.organizations.get()), graph=json.loads(written)
    )
    execution = executions.start(caller_for(owner), workflow=workflow, inputs={"guest": "Noor"})
    go_on(execution)
    assert (execution.status, execution.outcome) == ("completed", "greeted")


@pytest.mark.parametrize(
    ("question", "heading"),
    [
        ("workflow node types", "node-types"),
        ("api node request retries", "api-http-request"),
        ("placeholders in workflows", "placeholders"),
        ("script offline model", "scripts-for-the-offline-model"),
    ],
)
def test_what_the_guide_says_is_found(question: str, heading: str) -> None:
    index_guides()
    assert f"/docs/workflows#{heading}" in search_guides(question)[0].url
