"""Workflows as tools of a chat: run with the rights of whoever talks, once for each call, waited for where asked."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from agents_hub.chat.sources import CallContext, ChatTool
from agents_hub.models import Agent
from security.models import AuditEntry
from tests.agents_hub.chat.calling import called, offered, tools_by_name
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for, make_key
from tests.threads import at_once, meanwhile
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import END, done, on, task
from workflows.chat import runs
from workflows.chat.source import WorkflowRuns, tool_names
from workflows.engine.states import Status
from workflows.models import Execution, Publication, Workflow
from workflows.services.executions import execute_once
from workflows.services.wishes import add_message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def in_this_thread(settings: Settings, unwatched: None) -> None:
    """The watch has a connection of its own, which does not see a test's transaction."""
    settings.QUICK_THREADS = 0


@pytest.fixture
def agent() -> Agent:
    """The one that is talked to."""
    made: Agent = AgentFactory(name="Receptionist")
    return made


@pytest.fixture
def member(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization), Scope.WRITE, Door.CHAT)


def published(
    *parts: Any, organization: Any, name: str = "Harbour desk", description: str = "", **fields: Any
) -> Agent:
    """An agent with a published workflow of these parts."""
    drawn = {"graph": graph(*parts)} if parts else {}
    workflow: Workflow = WorkflowFactory(
        agent__organization=organization, agent__name=name, agent__description=description, **drawn, **fields
    )
    publish(workflow)
    return workflow.agent


def publish(workflow: Workflow, version: int = 1) -> None:
    workflow.version = version
    workflow.save(update_fields=["version"])
    Publication.objects.create(workflow=workflow, agent=workflow.agent)


def run_tool(caller: Caller, agent: Agent, desk: Agent) -> ChatTool:
    return tools_by_name(offered("workflows", caller, agent, desk.pk))[f"run_harbour_desk_{desk.pk.hex[-6:]}"]


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


@pytest.mark.django_db(transaction=True)
def test_waiting_gives_the_result(agent: Agent, member: Caller, settings: Settings) -> None:
    settings.QUICK_THREADS = 2
    decide = node("end", "output", properties={"outcomes": ["berth given"]})
    desk = published(task("read", done(price=24)), decide, way("read", "end"), organization=agent.organization)
    tool = run_tool(member, agent, desk)
    with a_worker() as tell:
        outcome = called(tool, member, say=tell, wait=60)
    assert (outcome.structured["status"], outcome.structured["outcome"]) == ("completed", "berth given")
    assert '"outcome": "berth given"' in outcome.text
    assert not outcome.is_error


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_where_the_run_waits_for_a_person_and_shows_the_question(
    agent: Agent, member: Caller, settings: Settings
) -> None:
    settings.QUICK_THREADS = 2
    asking = {"question": "Which berth?", "header": "Berth", "options": [{"label": "North 4"}, {"label": "South 1"}]}
    ask = task("ask", {"call": "ask_user", "arguments": {"questions": [asking]}}, done(), tools=("ask_user",))
    desk = published(ask, END, way("ask", "end"), organization=agent.organization)
    tool = run_tool(member, agent, desk)
    with a_worker() as tell:
        outcome = called(tool, member, say=tell, wait=120)
    assert outcome.structured["status"] == "paused_by_agent"
    assert outcome.structured["questions"][0]["question"] == "Which berth?"
    execution = Execution.objects.get()
    add_message(member, execution_id=execution.pk, text="North 4")
    on(execution)
    look = tools_by_name(offered("workflows", member, agent, desk.pk))["look_at_run"]
    assert called(look, member, executionId=str(execution.pk)).structured["status"] == "completed"


def test_a_run_that_takes_longer_is_left_to_itself(agent: Agent, member: Caller) -> None:
    """No worker is there: waiting ends when its time is up."""
    desk = published(organization=agent.organization)
    outcome = called(run_tool(member, agent, desk), member, wait=1, inputs={"order": "A-1", "shop": "quay"})
    assert outcome.structured["status"] == "starting"


def test_a_failed_run_is_a_failed_call_and_looking_at_it_is_none(
    agent: Agent, member: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = published(organization=agent.organization)

    def fail(caller: Caller, execution_id: UUID) -> bool:
        Execution.objects.filter(pk=execution_id).update(
            status=Status.FAILED, failure="The shop is shut.", terminal_at="2026-01-01T00:00Z"
        )
        return False

    monkeypatch.setattr(runs, "_goes_on", fail)
    outcome = called(run_tool(member, agent, desk), member, wait=5, inputs={"order": "A-1", "shop": "quay"})
    assert outcome.is_error
    assert outcome.structured["failure"] == "The shop is shut."
    look = tools_by_name(offered("workflows", member, agent, desk.pk))["look_at_run"]
    assert not called(look, member, executionId=outcome.structured["executionId"]).is_error


def test_stopping_the_call_stops_no_run_and_says_which_goes_on(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    tool, heard = run_tool(member, agent, desk), list[str]()

    async def stopped_once_it_is_started() -> None:
        said = asyncio.Event()

        def hear(words: str) -> None:
            heard.append(words)
            said.set()

        context = CallContext(member, "a conversation", "one", say=hear)
        call = asyncio.ensure_future(tool.perform({"wait": 120, "inputs": {"order": "A-1", "shop": "quay"}}, context))
        await said.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    async_to_sync(stopped_once_it_is_started)()
    execution = Execution.objects.get()
    assert execution.status == "starting"
    assert not execution.wanted
    assert f"The execution {execution.pk} is started and runs by itself" in heard[0]


@pytest.mark.django_db(transaction=True)
def test_a_call_stopped_while_it_starts_a_run_says_which_goes_on(
    agent: Agent, member: Caller, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.QUICK_THREADS = 2
    desk = published(organization=agent.organization)
    tool, heard = run_tool(member, agent, desk), list[str]()
    begun, may_go_on = threading.Event(), threading.Event()

    def slowly(*given: Any, **named: Any) -> Execution:
        begun.set()
        assert may_go_on.wait(timeout=10)
        return execute_once(*given, **named)

    monkeypatch.setattr(runs, "execute_once", slowly)

    async def stopped_in_the_midst() -> None:
        context = CallContext(member, "a conversation", "one", say=heard.append)
        call = asyncio.ensure_future(tool.perform({"inputs": {"order": "A-1", "shop": "quay"}}, context))
        await asyncio.to_thread(begun.wait, 10)
        call.cancel()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await call

    async_to_sync(stopped_in_the_midst)()
    assert str(Execution.objects.get().pk) in heard[0]


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


def test_the_version_in_force_is_run_also_where_another_was_published_since(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    tool = run_tool(member, agent, desk)
    newer = WorkflowFactory(agent=desk)
    publish(newer, version=2)
    called(tool, member, inputs={"order": "A-1", "shop": "quay"})
    assert Execution.objects.get().workflow == newer
    assert run_tool(member, agent, desk).digest != tool.digest


def test_only_runs_of_workflows_that_were_given_are_shown(agent: Agent, member: Caller) -> None:
    desk = published(organization=agent.organization)
    other = ExecutionFactory(workflow__agent__organization=agent.organization)
    foreign = ExecutionFactory()
    look = tools_by_name(offered("workflows", member, agent, desk.pk))["look_at_run"]
    for execution_id in (str(other.pk), str(foreign.pk), "x", None, ""):
        assert called(look, member, executionId=execution_id).is_error


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


def test_inputs_that_programs_would_trip_over_are_only_names(agent: Agent, member: Caller) -> None:
    words = "{{.wait}} {{.inputs}} {{._hidden}} {{.model_config}} {{.schema}}"
    desk = published(task("read", done(), words=words), END, way("read", "end"), organization=agent.organization)
    inputs = dict.fromkeys(("wait", "inputs", "_hidden", "model_config", "schema"), "x")
    assert not called(run_tool(member, agent, desk), member, inputs=inputs).is_error
    assert Execution.objects.get().inputs == inputs


@contextmanager
def a_worker() -> Iterator[Callable[[str], None]]:
    """Somebody who carries out the run that is said to be started, in a thread beside; gives what to say it to."""
    started = threading.Event()

    def work() -> None:
        assert started.wait(timeout=10)
        on(Execution.objects.get())

    with meanwhile(work):
        yield lambda said: started.set()
