"""A server's list of tools is kept as long as it says, and asked for again once something has changed."""

import asyncio
import time

import pytest

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote import discovery, era
from mcp_gateway.remote.running import running
from tests.fakes.mcp_server import McpServer, mcp_server, rpc_error
from tests.mcp_gateway.remote.elsewhere import row, run
from tests.mcp_gateway.remote.toolbox.boxes import named, using

pytestmark = pytest.mark.usefixtures("in_this_thread")


def test_a_list_that_may_be_kept_is_not_asked_for_again(
    member: Caller, printer: RemoteServer, server: McpServer
) -> None:
    async def work() -> list[str]:
        async with using(member, printer):
            pass
        server.seen.clear()
        async with using(member, printer) as box:
            assert len(box.tools) == 10
            assert server.methods == []
            await box.call(named(printer, "echo"), {"text": "hello"})
        return server.methods

    assert run(work) == ["tools/call"]


def test_a_list_is_kept_as_long_as_the_server_says(
    member: Caller, organization: Organization, server: McpServer
) -> None:
    """An old server cannot say, and then it is a minute; one that says 0 is asked each time, and not greeted again."""

    async def lists(row: RemoteServer, asked: McpServer) -> list[str]:
        for _ in range(2):
            asked.seen.clear()
            async with using(member, row):
                pass
        return asked.methods

    server.older = True
    old = row(organization, server)
    assert run(lambda: lists(old, server)) == []
    with mcp_server(list_ttl_ms=0) as fickle:
        new = row(organization, fickle)
        assert run(lambda: lists(new, fickle)) == ["tools/list"]


@pytest.mark.parametrize("seconds", [59, 61])
def test_a_kept_list_runs_out(
    member: Caller, printer: RemoteServer, server: McpServer, seconds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    monkeypatch.setattr(discovery, "monotonic", lambda: began)

    async def work() -> list[str]:
        async with using(member, printer):
            pass
        server.seen.clear()
        monkeypatch.setattr(discovery, "monotonic", lambda: began + seconds)
        async with using(member, printer):
            pass
        return server.methods

    assert run(work) == (["tools/list"] if seconds > 60 else [])


def test_an_edit_drops_what_was_kept_in_every_process(member: Caller, printer: RemoteServer, server: McpServer) -> None:
    """The revision is the row's: whoever reads it sees that what it kept is of an older one."""

    async def work() -> list[str]:
        async with using(member, printer):
            pass
        await discovery.tell_changed(printer.pk)
        server.seen.clear()
        async with using(member, printer):
            pass
        return server.methods

    assert run(work) == ["server/discover", "tools/list"]


@pytest.mark.parametrize("older", [True, False], ids=["older", "modern"])
def test_a_server_that_says_its_tools_changed_is_asked_again(
    member: Caller, organization: Organization, older: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(era, "WATCH_AFTER_SECONDS", 0)

    async def work(printer: RemoteServer, server: McpServer) -> set[str]:
        async with running(), using(member, printer) as box:
            async with asyncio.timeout(20):
                while not older and not server.asked("subscriptions/listen"):
                    await box.call(named(printer, "echo"), {"text": "not yet"})
                await box.call(named(printer, "grow"), {"name": "branch"})
                while discovery.keeps(printer.pk):
                    await asyncio.sleep(0.01)
        async with using(member, printer) as box:
            return {tool.remote_name for tool in box.tools}

    with mcp_server(list_ttl_ms=60_000) as server:
        server.older = older
        printer = row(organization, server)
        assert "branch" in run(lambda: work(printer, server))
    revision = printer.revision
    printer.refresh_from_db()
    assert printer.revision > revision


def test_a_modern_server_that_became_an_old_one_is_greeted_after_all(
    member: Caller, printer: RemoteServer, server: McpServer
) -> None:
    async def work() -> str:
        async with using(member, printer):
            pass
        server.older = True
        async with using(member, printer) as box:
            return (await box.call(named(printer, "echo"), {"text": "hello"})).text

    assert run(work) == "hello"


def test_an_old_session_that_the_server_forgot_is_begun_again(
    member: Caller, printer: RemoteServer, server: McpServer
) -> None:
    server.older = True

    async def work() -> str:
        async with using(member, printer) as box:
            await box.call(named(printer, "echo"), {"text": "first"})
            server.answers.append(rpc_error(-32600, "Session not found", http=404))
            return (await box.call(named(printer, "echo"), {"text": "second"})).text

    assert run(work) == "second"
    assert server.methods.count("initialize") == 2
