"""A call that is stopped stops no run, and says which goes on."""

import asyncio
import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.chat.sources import CallContext
from agents_hub.models import Agent
from tests.workflows.chat.desks import published, run_tool
from workflows.chat import runs
from workflows.models import Execution
from workflows.services.executions import execute_once

pytestmark = pytest.mark.django_db


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
