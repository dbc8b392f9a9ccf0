"""AI tasks with the tools of a remote MCP server: assigned to the agent, called for the runner, allowed by a person."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import Invalid
from agents_hub.models import AgentServer, SwitchedOff
from agents_hub.services.agent_servers import change_servers
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote import discovery, toolbox
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.mcp_gateway.remote.elsewhere import row, run
from tests.workflows.graphs import way
from tests.workflows.tasks import END, call, done, failures, on, started, task
from workflows.engine.states import Status
from workflows.engine.store import Fenced
from workflows.engine.watch import Watch
from workflows.models import Execution
from workflows.services import wishes

pytestmark = pytest.mark.django_db
KEY = toolbox.IDEMPOTENCY_META


@pytest.fixture
def _in_this_thread(unwatched: None, settings: Settings) -> None:
    """The watch and the gateway's threads have connections of their own, which do not see a test's transaction."""
    settings.QUICK_THREADS = 0


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server() as server:
        yield server


@pytest.fixture
def server(served: McpServer) -> McpServer:
    served.forget()
    discovery.clear()
    return served


@pytest.fixture
def printer(_in_this_thread: None, server: McpServer) -> RemoteServer:
    """A server whose tools are known, assigned to an agent."""
    agent = AgentFactory()
    caller = caller_for(member_of(agent.organization))
    printer = row(agent.organization, server, slug="printer")
    change_servers(caller, agent_id=agent.pk, add=[printer.pk], remove=[])

    async def look() -> None:
        async with toolbox.open(caller, [printer.pk]):
            pass

    run(look)
    discovery.clear()
    server.seen.clear()
    return printer


def tool(printer: RemoteServer, name: str, /, **arguments: Any) -> dict[str, Any]:
    return call(f"printer_{printer.pk}__{name}", **arguments)


def asking_first(printer: RemoteServer) -> None:
    RemoteTool.objects.filter(server=printer, name="echo").update(ask_first=True)


def printing(printer: RemoteServer, *lines: dict[str, Any]) -> tuple[Caller, Execution]:
    agent = AgentServer.objects.get(server=printer).agent
    return started(task("print", *lines, tools=("mcp_call",)), END, way("print", "end"), agent=agent)


def test_the_tools_of_the_agents_servers_are_called_for_the_runner(server: McpServer, printer: RemoteServer) -> None:
    _, execution = printing(printer, tool(printer, "echo", text="hello"), tool(printer, "fail"), done())
    assert on(execution).state == Status.COMPLETED
    first, second = server.asked("tools/call")
    assert first.rpc["params"]["arguments"] == {"text": "hello"}
    keys = [each.rpc["params"]["_meta"][KEY] for each in (first, second)]
    assert keys == [f"{execution.pk}/1/print/1.1", f"{execution.pk}/1/print/2.1"]
    (said,) = failures(execution)
    assert "The printer is on fire." in said


def test_a_server_that_is_not_assigned_offers_nothing(server: McpServer, printer: RemoteServer) -> None:
    _, execution = printing(printer, tool(printer, "echo", text="hello"), done())
    AgentServer.objects.all().delete()
    assert on(execution).state == Status.COMPLETED
    assert server.seen == []


def test_a_task_that_calls_remote_tools_is_not_begun_where_no_server_can_be_used(printer: RemoteServer) -> None:
    with pytest.raises(Invalid, match="no remote server that is enabled"):
        started(task("print", done(), tools=("mcp_call",)), END, way("print", "end"))
    RemoteServer.objects.filter(pk=printer.pk).update(enabled=False)
    with pytest.raises(Invalid, match="Tick one on the agent's page"):
        printing(printer, done())


def test_a_tool_that_is_switched_off_for_the_agent_is_not_called(server: McpServer, printer: RemoteServer) -> None:
    _, execution = printing(printer, tool(printer, "echo", text="hello"), tool(printer, "number", value=3), done())
    SwitchedOff.objects.create(agent=execution.agent, origin=f"server:{printer.pk}", tool="echo")
    assert on(execution).state == Status.COMPLETED
    assert [each.rpc["params"]["name"] for each in server.asked("tools/call")] == ["number"]


def test_a_tool_that_asks_first_waits_until_a_person_allows_this_very_call(
    server: McpServer, printer: RemoteServer
) -> None:
    asking_first(printer)
    lines = [tool(printer, "echo", text="one"), tool(printer, "echo", text="two"), done()]
    caller, execution = printing(printer, *lines)
    # Said before anybody asked: it allows nothing.
    wishes.add_message(caller, execution_id=execution.pk, text="Allow")
    assert on(execution).state == Status.PAUSED_BY_AGENT
    assert '{"text": "one"}' in str(execution.waiting_for)
    assert server.asked("tools/call") == []
    wishes.add_message(caller, execution_id=execution.pk, text="allow.")
    assert on(execution).state == Status.PAUSED_BY_AGENT
    assert [each.rpc["params"]["arguments"]["text"] for each in server.asked("tools/call")] == ["one"]
    wishes.add_message(caller, execution_id=execution.pk, text="No, allow that later.")
    assert on(execution).state == Status.COMPLETED
    assert len(server.asked("tools/call")) == 1
    assert failures(execution) == ["It was not allowed."]


def test_going_on_without_a_word_allows_nothing(server: McpServer, printer: RemoteServer) -> None:
    asking_first(printer)
    caller, execution = printing(printer, tool(printer, "echo", text="one"), done())
    on(execution)
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    assert on(execution).state == Status.COMPLETED
    assert server.asked("tools/call") == []


def test_an_allowed_call_that_was_lost_is_asked_for_again(
    server: McpServer, printer: RemoteServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking_first(printer)
    caller, execution = printing(printer, tool(printer, "echo", text="one"), done())
    on(execution)
    wishes.add_message(caller, execution_id=execution.pk, text="Allow")

    async def lost(*_: Any, **__: Any) -> Any:
        raise Fenced("the worker was lost")

    with monkeypatch.context() as patch:
        patch.setattr(toolbox.Toolbox, "call", lost)
        on(execution)
    Execution.objects.update(lease_until=None)
    assert on(execution).state == Status.PAUSED_BY_AGENT
    assert "may have been carried out already" in str(execution.waiting_for)
    wishes.add_message(caller, execution_id=execution.pk, text="Allow")
    assert on(execution).state == Status.COMPLETED
    assert len(server.asked("tools/call")) == 1


def test_a_run_whose_runner_left_has_no_tools(server: McpServer, printer: RemoteServer) -> None:
    _, execution = printing(printer, tool(printer, "echo", text="hello"), done())
    Execution.objects.update(runner=None)
    assert on(execution).state == Status.COMPLETED
    assert server.seen == []


@pytest.mark.django_db(transaction=True)
def test_cancelling_ends_a_remote_call_that_is_under_way(server: McpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a watch and the gateway's own threads, as in a worker."""
    own = Watch()
    monkeypatch.setattr("workflows.engine.run.watch", own)
    agent = AgentFactory()
    caller = caller_for(member_of(agent.organization))
    printer = row(agent.organization, server, slug="printer")
    change_servers(caller, agent_id=agent.pk, add=[printer.pk], remove=[])
    _, execution = printing(printer, tool(printer, "wait"), done())

    def cancel() -> None:
        try:
            reached(server, server.waiting)
            wishes.ask_status(caller, execution_id=execution.pk, status=Status.CANCELLED)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as person:
        cancelling = person.submit(cancel)
        try:
            assert on(execution).state == Status.CANCELLED
        finally:
            own.close()
        cancelling.result()
    reached(server, server.cancelled)


def reached(server: McpServer, event: asyncio.Event) -> None:
    """Wait for an event of the server's, which lives on another loop."""
    assert server.loop is not None
    asyncio.run_coroutine_threadsafe(event.wait(), server.loop).result(20)
