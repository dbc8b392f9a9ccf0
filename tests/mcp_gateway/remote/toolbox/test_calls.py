"""Calls through the toolbox: asked about first where that is wished, refused, answered, and recorded."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from accounts.caller import Caller
from accounts.errors import ScopeMissing
from accounts.scopes import Scope
from mcp_gateway.models import RemoteCall, RemoteServer, RemoteTool
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import toolbox
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.questions import Answer, Question
from mcp_gateway.remote.running import running
from mcp_gateway.remote.toolbox import RemoteResult
from security.models import AuditEntry
from tests.fakes.mcp_server import McpServer, rpc_error, status
from tests.mcp_gateway.remote.elsewhere import run
from tests.mcp_gateway.remote.toolbox.boxes import named, using

pytestmark = pytest.mark.usefixtures("in_this_thread")


def called(caller: Caller, server: RemoteServer, tool: str, **arguments: Any) -> RemoteResult:
    async def work() -> RemoteResult:
        async with using(caller, server) as box:
            return await box.call(named(server, tool), arguments)

    return run(work)


def test_a_tool_that_asks_first_runs_when_it_was_allowed(member: Caller, printer: RemoteServer) -> None:
    called(member, printer, "echo", text="so that it is known")
    RemoteTool.objects.filter(name="echo").update(ask_first=True)
    asked: list[Question] = []

    def answering_with(action: Any) -> Callable[[Question], Awaitable[Answer]]:
        async def ask(question: Question) -> Answer:
            asked.append(question)
            return Answer(action)

        return ask

    async def work(**options: Any) -> str:
        async with using(member, printer) as box:
            assert [tool.remote_name for tool in box.tools if tool.ask_first] == ["echo"]
            try:
                return (await box.call(named(printer, "echo"), {"text": "ran"}, **options)).text
            except RemoteError as error:
                return error.code

    assert run(work) == Code.ASK_FIRST
    assert run(lambda: work(ask=answering_with("decline"))) == Code.ASK_FIRST
    assert run(lambda: work(ask=answering_with("accept"))) == "ran"
    assert run(lambda: work(confirmed=True)) == "ran"
    assert [question.message for question in asked] == [f"Allow “Say again” of {printer.name} to run?"] * 2


def test_what_the_server_refuses_is_a_result_for_the_model_to_read(
    member: Caller, printer: RemoteServer, server: McpServer
) -> None:
    async def work() -> tuple[RemoteResult, RemoteResult]:
        async with using(member, printer) as box:
            failed = await box.call(named(printer, "fail"), {})
            server.answers.append(rpc_error(-32602, "The date is in the past."))
            return failed, await box.call(named(printer, "echo"), {"text": "hello"})

    failed, refused = run(work)
    assert (failed.is_error, refused.is_error) == (True, True)
    assert "The printer is on fire." in failed.text
    assert "The date is in the past." in refused.text


def test_a_key_to_the_call_goes_along_for_servers_that_know_it(
    member: Caller, printer: RemoteServer, server: McpServer
) -> None:
    async def work() -> None:
        async with using(member, printer) as box:
            await box.call(named(printer, "echo"), {"text": "once"}, idempotency_key="order-17")

    run(work)
    (call,) = server.asked("tools/call")
    assert call.rpc["params"]["_meta"][toolbox.IDEMPOTENCY_META] == "order-17"


def test_an_unknown_tool_and_a_reader_are_refused(member: Caller, printer: RemoteServer) -> None:
    async def work(caller: Caller, name: str) -> None:
        async with using(caller, printer) as box:
            await box.call(name, {})

    with pytest.raises(RemoteError) as unknown:
        run(lambda: work(member, "echo"))
    assert unknown.value.code is Code.NOT_FOUND
    reader = Caller(member.user_id, Scope.READ, member.door)
    with pytest.raises(ScopeMissing):
        run(lambda: work(reader, named(printer, "echo")))


def test_every_call_is_recorded_without_what_was_sent(member: Caller, printer: RemoteServer, server: McpServer) -> None:
    async def work() -> None:
        async with using(member, printer) as box:
            await box.call(named(printer, "echo"), {"text": "a secret"})
            await box.call(named(printer, "fail"), {})
            server.answers.append(status(503))
            with pytest.raises(RemoteError):
                await box.call(named(printer, "echo"), {"text": "a secret"})

    run(work)
    rows = RemoteCall.objects.filter(server=printer, user_id=member.user_id).order_by("id")
    assert [(row.tool, row.outcome, row.error_code) for row in rows] == [
        ("echo", "ok", ""),
        ("fail", "tool_error", ""),
        ("echo", "failed", "server_error"),
    ]
    assert all(row.duration_ms > 0 for row in rows)
    entries = AuditEntry.objects.filter(action="remote_server.call").order_by("id")
    assert [(entry.outcome, entry.error_code) for entry in entries] == [
        ("ok", ""),
        ("refused", "tool_error"),
        ("error", "server_error"),
    ]
    assert {entry.user_id for entry in entries} == {member.user_id}
    assert entries[0].target == f"remote_server:{printer.pk}"
    assert entries[0].detail == {"arguments": ["text"]}


def test_a_server_deleted_in_the_middle_leaves_the_audit(member: Caller, printer: RemoteServer) -> None:
    async def work() -> None:
        async with running(), using(member, printer) as box:
            await box.call(named(printer, "echo"), {"text": "hello"})
            await in_domain(printer.delete)

    run(work)
    assert not RemoteCall.objects.exists()
    assert AuditEntry.objects.filter(action="remote_server.call").count() == 1
