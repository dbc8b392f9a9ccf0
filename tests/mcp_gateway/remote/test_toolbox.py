"""The toolbox: tools of several servers under names of their own, called with the caller's credentials, and closed."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.db.models import F

from accounts.caller import Caller
from accounts.errors import ScopeMissing
from accounts.models import Organization
from accounts.scopes import Scope
from mcp_gateway.models import RemoteCall, RemoteConnection, RemoteServer, RemoteTool
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import discovery, era, refresh, toolbox
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.questions import Answer, Question
from mcp_gateway.remote.running import running
from mcp_gateway.remote.targets import Credential
from mcp_gateway.remote.toolbox import RemoteResult, Toolbox
from mcp_gateway.remote.wires import wires
from security.models import AuditEntry
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory, caller_for
from tests.fakes.mcp_server import McpServer, mcp_server, rpc_error, status
from tests.mcp_gateway.remote.elsewhere import HTTP, SSE, row, run
from tests.security.outbound.loopback import INSIDE, Server, serving

pytestmark = pytest.mark.usefixtures("in_this_thread")


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server(list_ttl_ms=60_000) as server:
        yield server


@pytest.fixture
def server(served: McpServer) -> McpServer:
    served.seen.clear()
    served.answers.clear()
    served.older = False
    for event in (served.waiting, served.cancelled):
        event.clear()
    return served


@pytest.fixture
def printer(organization: Organization, server: McpServer) -> RemoteServer:
    """A server of the organization's, as it is today."""
    return row(organization, server, slug="printer")


def using(caller: Caller, *servers: RemoteServer, **options: Any) -> contextlib.AbstractAsyncContextManager[Toolbox]:
    return toolbox.open(caller, [server.pk for server in servers], **options)


def named(server: RemoteServer, tool: str) -> str:
    return f"{server.slug}_{server.pk}__{tool}"


def called(caller: Caller, server: RemoteServer, tool: str, **arguments: Any) -> RemoteResult:
    async def work() -> RemoteResult:
        async with using(caller, server) as box:
            return await box.call(named(server, tool), arguments)

    return run(work)


def test_tools_of_several_servers_are_offered_under_names_of_their_own(
    member: Caller, organization: Organization, server: McpServer, printer: RemoteServer
) -> None:
    archive = row(organization, server, SSE, slug="archive")

    async def work() -> tuple[list[toolbox.OfferedTool], list[str]]:
        async with using(member, archive, printer) as box:
            tools = box.tools
            said = [(await box.call(named(each, "echo"), {"text": each.slug})).text for each in (archive, printer)]
        return tools, said

    tools, said = run(work)
    assert said == ["archive", "printer"]
    assert len({tool.name for tool in tools}) == len(tools) == 20
    assert [tool.server_id for tool in tools] == [archive.pk] * 10 + [printer.pk] * 10
    echo = next(tool for tool in tools if tool.name == named(printer, "echo"))
    assert (echo.title, echo.description, echo.remote_name) == ("Say again", "What was said.", "echo")
    assert echo.input_schema["required"] == ["text"]
    assert echo.annotations == {"readOnlyHint": True}


def test_a_tool_keeps_its_name_when_the_server_is_renamed(member: Caller, printer: RemoteServer) -> None:
    async def names() -> set[str]:
        async with using(member, printer) as box:
            return {tool.name for tool in box.tools}

    before = run(names)
    RemoteServer.objects.update(name="The big printer")
    assert run(names) == before


def test_one_server_that_fails_stops_none_of_the_others(
    member: Caller, organization: Organization, printer: RemoteServer
) -> None:
    gone = RemoteServerFactory(organization=organization, name="Gone", url="http://127.0.0.1:1/mcp")
    off = RemoteServerFactory(organization=organization, name="Off", enabled=False)
    unconnected = RemoteServerFactory(organization=organization, name="Unconnected", oauth=True)
    others = RemoteServerFactory()

    async def work() -> tuple[list[toolbox.Problem], int]:
        async with using(member, gone, off, unconnected, others, printer) as box:
            return box.problems, len(box.tools)

    problems, tools = run(work)
    assert tools == 10
    assert [(problem.server_id, problem.code) for problem in problems] == [
        (gone.pk, Code.UNREACHABLE),
        (off.pk, Code.DISABLED),
        (unconnected.pk, Code.NOT_CONNECTED),
        (others.pk, Code.NOT_FOUND),
    ]
    assert others.name not in {problem.server_name for problem in problems}


def test_a_server_that_drags_is_a_problem_in_time(
    member: Caller, organization: Organization, printer: RemoteServer
) -> None:
    async def work(slow: RemoteServer) -> tuple[list[Code], int]:
        # Known by now, the other one needs nothing of the time that is let run out.
        async with using(member, printer):
            pass
        async with using(member, slow, printer, deadline=1) as box:
            return [problem.code for problem in box.problems], len(box.tools)

    with serving(lambda connection, head, silent: wait_for_the_end(silent), host=INSIDE) as silent:
        slow = RemoteServerFactory(organization=organization, url=f"http://{silent.host}:{silent.port}/mcp")
        assert run(lambda: work(slow)) == ([Code.TIMEOUT], 10)


def wait_for_the_end(silent: Server) -> None:
    silent.closing.wait(20)


def test_only_tools_that_are_switched_on_and_not_held_back_are_offered(member: Caller, printer: RemoteServer) -> None:
    async def offered() -> set[str]:
        async with using(member, printer) as box:
            return {tool.remote_name for tool in box.tools}

    everything = run(offered)
    RemoteTool.objects.filter(name="echo").update(enabled=False)
    RemoteServer.objects.update(hold_changes=True)
    RemoteTool.objects.filter(name="fail").update(held_digest=F("digest"), digest="as it was accepted")
    assert run(offered) == everything - {"echo", "fail"}


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


# Each person's own credential


@pytest.fixture
def signed(organization: Organization, server: McpServer) -> RemoteServer:
    made: RemoteServer = RemoteServerFactory(organization=organization, url=server.url, oauth=True, slug="signed")
    return made


def connected(server: RemoteServer, token: str) -> tuple[Caller, RemoteConnection]:
    user = MembershipFactory(organization=server.organization).user
    return caller_for(user), RemoteConnectionFactory(server=server, user=user, access_token=token)


def tokens(server: McpServer) -> list[str]:
    return [each.headers.get("authorization", "").removeprefix("Bearer ") for each in server.seen]


def test_two_people_never_share_a_token_nor_what_it_showed(signed: RemoteServer, server: McpServer) -> None:
    (ada, _), (ben, _) = connected(signed, "of-ada"), connected(signed, "of-ben")

    async def work() -> None:
        async with running(), using(ada, signed) as adas, using(ben, signed) as bens:
            await asyncio.gather(
                *(box.call(named(signed, "echo"), {"text": str(n)}) for n in range(5) for box in (adas, bens))
            )

    run(work)
    assert [each.headers["authorization"] for each in server.asked("tools/list")] == ["Bearer of-ada", "Bearer of-ben"]
    assert sorted(tokens(server)) == ["of-ada"] * 7 + ["of-ben"] * 7


def test_a_token_that_is_refused_is_renewed_once_and_the_call_made_again(
    signed: RemoteServer, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, connection = connected(signed, "stale")
    renewed: list[tuple[int, int]] = []

    async def renew(connection_id: int, rejected_generation: int) -> Credential:
        renewed.append((connection_id, rejected_generation))
        return Credential("renewed", {"Authorization": "Bearer fresh"}, connection_id, rejected_generation + 1)

    monkeypatch.setattr(refresh, "renew", renew)

    async def work() -> list[str]:
        async with using(ada, signed) as box:
            server.answers += [status(401)] * 3
            results = await asyncio.gather(*(box.call(named(signed, "echo"), {"text": str(n)}) for n in range(3)))
            return [result.text for result in results]

    assert run(work) == ["0", "1", "2"]
    assert renewed == [(connection.pk, connection.generation)]
    assert tokens(server)[-3:] == ["fresh"] * 3


def test_a_fresh_token_that_is_refused_too_is_the_end_of_it(
    signed: RemoteServer, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, _ = connected(signed, "stale")

    async def renew(connection_id: int, rejected_generation: int) -> Credential:
        return Credential("renewed", {"Authorization": "Bearer fresh"}, connection_id, rejected_generation + 1)

    monkeypatch.setattr(refresh, "renew", renew)

    async def work() -> list[toolbox.Problem]:
        server.answers += [status(401)] * 9
        async with using(ada, signed) as box:
            return box.problems

    (problem,) = run(work)
    assert problem.code is Code.UNAUTHORIZED
    assert tokens(server) == ["stale", "fresh"]


def test_a_call_that_needs_a_wider_scope_has_it_remembered(
    signed: RemoteServer, server: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, connection = connected(signed, "narrow")
    wanted: list[tuple[int, str]] = []

    async def scope_refused(connection_id: int, scope: str) -> None:
        wanted.append((connection_id, scope))

    monkeypatch.setattr(refresh, "scope_refused", scope_refused)

    async def work() -> RemoteError:
        async with using(ada, signed) as box:
            server.answers.append(status(403, www_authenticate='Bearer error="insufficient_scope", scope="write"'))
            with pytest.raises(RemoteError) as caught:
                await box.call(named(signed, "echo"), {"text": "hello"})
            return caught.value

    assert run(work).code is Code.SCOPE_NEEDED
    assert wanted == [(connection.pk, "write")]


# What is kept


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


# The record


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


# The end


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
