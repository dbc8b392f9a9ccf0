"""A call waits for its run where that is asked: to the end, to a question, or until the time is up."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.models import Agent
from tests.agents_hub.chat.calling import called, offered, tools_by_name
from tests.threads import meanwhile
from tests.workflows.chat.desks import published, run_tool
from tests.workflows.graphs import node, way
from tests.workflows.tasks import END, done, on, task
from workflows.chat import runs
from workflows.engine.states import Status
from workflows.models import Execution
from workflows.services.wishes import add_message

pytestmark = pytest.mark.django_db


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


@contextmanager
def a_worker() -> Iterator[Callable[[str], None]]:
    """Somebody who carries out the run that is said to be started, in a thread beside; gives what to say it to."""
    started = threading.Event()

    def work() -> None:
        assert started.wait(timeout=10)
        on(Execution.objects.get())

    with meanwhile(work):
        yield lambda said: started.set()
