"""Which workflows and runs a chat is offered, to whom, and under which names."""

from uuid import UUID

import pytest

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from agents_hub.models import Agent
from security.identifiers import uuid7
from tests.agents_hub.chat.calling import called, offered, tools_by_name
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.chat.desks import published, run_tool
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.chat.runs import NO_RUN
from workflows.chat.source import WorkflowRuns, tool_names
from workflows.models import Execution

pytestmark = pytest.mark.django_db


def test_who_may_only_read_looks_at_runs_and_starts_none(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    reader = caller_for(member_of(agent.organization), Scope.READ, Door.CHAT)
    assert set(tools_by_name(offered("workflows", reader, agent, desk.pk))) == {"look_at_run"}
    outcome = called(run_tool(member, agent, desk), reader, inputs={"order": "A-1", "shop": "quay"})
    assert outcome.is_error
    assert "needs the scope write" in outcome.text
    assert not Execution.objects.exists()


def test_another_organizations_workflow_is_not_there_even_for_somebody_of_both(agent: Agent, member: Caller) -> None:
    foreign = published(organization=AgentFactory().organization, name="Foreign desk")
    foreign.organization.members.add(member.user_id)
    given = offered("workflows", member, agent, foreign.pk)
    assert not given.tools
    assert [problem.code for problem in given.problems] == ["gone"]
    assert "Foreign" not in given.problems[0].message
    assert not WorkflowRuns().choices(member, agent)


def test_a_workflow_that_is_not_published_is_a_problem_that_says_how_to_mend_it(agent: Agent, member: Caller) -> None:
    draft = WorkflowFactory(agent__organization=agent.organization, agent__name="Draft desk")
    given = offered("workflows", member, agent, draft.agent.pk, "no-id")
    assert not given.tools
    assert [problem.code for problem in given.problems] == ["not_published", "gone"]
    assert "“Draft desk” has no published workflow" in given.problems[0].message


def test_only_runs_of_workflows_that_were_given_are_shown(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    other = ExecutionFactory(workflow__agent__organization=agent.organization)
    foreign = ExecutionFactory()
    look = tools_by_name(offered("workflows", member, agent, desk.pk))["look_at_run"]
    for execution_id in (str(other.pk), str(foreign.pk), str(uuid7()), "x", None, ""):
        answer = called(look, member, executionId=execution_id)
        assert answer.is_error
        # Whose it is cannot be told from what is said, nor does that name tools that there are none of here.
        assert [block["text"] for block in answer.content] == [NO_RUN]


def test_names_are_made_for_models_and_never_collide() -> None:
    """Two agents whose ids end alike, names in other letters, long ones, and those that imitate a remote server's."""
    ids = [
        UUID("0198c0de-7a11-7000-8000-000000abcdef"),
        UUID("0198c0de-7a11-7000-8000-111111abcdef"),
        UUID("0198c0de-7a11-7000-8000-000000123456"),
    ]
    for name in ("Harbour desk", "a__b", "hubspot_12__create", "Hafenbüro № 5", "部屋", "x" * 255, "search_tools", "_"):
        names = tool_names([Agent(pk=pk, name=name) for pk in ids])
        assert len(set(names.values())) == 3
        for made in names.values():
            assert made.startswith("run_")
            assert len(made) <= 64
            assert made.isascii()
            assert made.replace("_", "").isalnum()
            assert "__" not in made
    named = tool_names([Agent(pk=ids[0], name="Desk"), Agent(pk=ids[2], name="Desk")])
    assert named == {ids[0]: "run_desk_abcdef", ids[2]: "run_desk_123456"}
