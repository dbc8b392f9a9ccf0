"""Where a toolbox is closed, by whatever, nothing is left open."""

import asyncio

import pytest

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.models import RemoteCall, RemoteServer
from mcp_gateway.remote.running import running
from mcp_gateway.remote.wires import wires
from tests.fakes.mcp_server import McpServer
from tests.mcp_gateway.remote.elsewhere import HTTP, SSE, row, run
from tests.mcp_gateway.remote.toolbox.boxes import named, using

pytestmark = pytest.mark.usefixtures("in_this_thread")


@pytest.mark.parametrize("kind", ["modern", "older", "sse"])
def test_cancelling_a_call_cancels_it_there_and_leaves_nothing_open(
    member: Caller, organization: Organization, server: McpServer, kind: str
) -> None:
    server.older = kind == "older"
    printer = row(organization, server, SSE if kind == "sse" else HTTP)

    async def work() -> None:
        async def conversation() -> None:
            async with using(member, printer) as box:
                await box.call(named(printer, "wait"), {})

        task = asyncio.create_task(conversation())
        await server.reached(server.waiting)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.reached(server.cancelled)
        async with asyncio.timeout(20):
            while server.under_way:
                await asyncio.sleep(0.01)

    run(work)
    assert RemoteCall.objects.get(tool="wait").outcome == "cancelled"


def test_an_error_of_the_callers_own_closes_everything(
    member: Caller, organization: Organization, server: McpServer, printer: RemoteServer
) -> None:
    archive = row(organization, server, SSE)

    async def work() -> None:
        with pytest.raises(ZeroDivisionError):
            async with using(member, printer, archive):
                raise ZeroDivisionError
        async with asyncio.timeout(20):
            while server.under_way:
                await asyncio.sleep(0.01)

    run(work)


def test_connections_to_a_server_are_used_again_while_the_process_keeps_them(
    member: Caller, printer: RemoteServer
) -> None:
    """`run` sees that none is open when `running` has ended."""

    async def work() -> int:
        async with running():
            for _ in range(3):
                async with using(member, printer) as box:
                    await box.call(named(printer, "echo"), {"text": "hello"})
            return wires().open

    assert run(work) == 1
