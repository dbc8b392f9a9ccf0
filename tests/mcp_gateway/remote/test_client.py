"""Connecting to servers of both eras over both transports, asking them, and what is said when that fails."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from pytest_django import Settings
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse

from mcp_gateway.models import Transport
from mcp_gateway.remote import era
from mcp_gateway.remote.client import connect
from mcp_gateway.remote.probe import Report, probe
from mcp_gateway.remote.problems import Code, RemoteError
from mcp_gateway.remote.questions import Answer, Question
from mcp_gateway.remote.targets import Target
from tests.fakes import mcp_server as fake
from tests.fakes.mcp_server import McpServer, hang_up, mcp_server, rpc_error, status
from tests.mcp_gateway.remote.elsewhere import SSE, run, target
from tests.security.outbound.loopback import INSIDE, Server, serving

TOOLS = 10


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server() as server:
        yield server


@pytest.fixture
def server(served: McpServer) -> McpServer:
    served.forget()
    return served


@pytest.fixture(params=["modern", "older", "sse"])
def there(request: pytest.FixtureRequest, server: McpServer) -> Target:
    """The server as it is today, as it was before 2026, and over the transport it had at first."""
    server.older = request.param == "older"
    return target(server.sse_url, SSE) if request.param == "sse" else target(server.url)


def test_every_kind_of_server_is_reached(there: Target) -> None:
    report = run(lambda: probe(there))
    assert (report.ok, report.message) == (True, f"{TOOLS} tools discovered")
    assert report.server_info["name"] == "somebody-elses"
    assert {tool["name"] for tool in report.tools} >= {"echo", "everything"}


def test_results_and_progress_and_answers_pass_both_ways(there: Target) -> None:
    heard: list[tuple[float, float | None, str | None]] = []
    asked: list[Question] = []

    async def progress(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async def ask(question: Question) -> Answer:
        asked.append(question)
        return Answer("accept", {"street": "Elm Street"})

    async def work() -> tuple[str, str, bool]:
        async with connect(there) as session:
            await session.call("count", {"to": 3}, progress=progress)
            shipped = await session.call("ship", {"order": "tea"}, ask=ask)
            failed = await session.call("fail", {})
            return str(shipped.structured_content), str(failed.content[0]), failed.is_error

    shipped, failed, is_error = run(work)
    assert heard == [(1, 3, "at 1"), (2, 3, "at 2"), (3, 3, "at 3")]
    assert "tea goes to Elm Street" in shipped
    assert asked[0].message == "Where shall tea go?"
    assert asked[0].schema is not None
    assert asked[0].schema["properties"]["street"]["type"] == "string"
    assert is_error
    assert "The printer is on fire." in failed


def test_a_question_nobody_answers_is_declined(there: Target) -> None:
    async def work() -> str:
        async with connect(there) as session:
            return str((await session.call("ship", {"order": "tea"})).structured_content)

    assert "tea stays: decline" in run(work)


def test_a_question_that_fails_on_our_side_is_cancelled(there: Target) -> None:
    async def ask(question: Question) -> Answer:
        raise ValueError("The one to be asked has left.")

    async def work() -> str:
        async with connect(there) as session:
            return str((await session.call("ship", {"order": "tea"}, ask=ask)).structured_content)

    assert "tea stays: cancel" in run(work)


def test_an_old_server_is_greeted_and_told_when_the_session_ends(server: McpServer) -> None:
    server.older = True
    run(lambda: probe(target(server.url)))
    assert server.methods == ["server/discover", "initialize", "tools/list"]
    assert [each.http for each in server.seen].count("DELETE") == 1


def test_a_modern_server_known_from_before_is_asked_without_a_greeting(server: McpServer) -> None:
    async def work() -> None:
        async with connect(target(server.url)) as session:
            prior = session.prior
        server.seen.clear()
        async with connect(target(server.url), prior=prior) as session:
            await session.call("echo", {"text": "hello"})

    run(work)
    assert server.methods == ["tools/call"]


def test_headers_of_the_credential_go_along_under_those_of_the_protocol(there: Target, server: McpServer) -> None:
    headers = {"Authorization": "Bearer secret", "X-Team": "red", "Content-Type": "text/plain"}
    run(lambda: probe(target(there.url, there.transport, **headers)))
    for each in server.seen:
        assert (each.headers["authorization"], each.headers["x-team"]) == ("Bearer secret", "red")
    assert {each.headers["content-type"] for each in server.seen if each.http == "POST"} == {"application/json"}


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (status(401, www_authenticate="Bearer"), Code.UNAUTHORIZED, "who calls"),
        (status(403), Code.FORBIDDEN, "does not allow"),
        (
            status(403, www_authenticate='Bearer error="insufficient_scope", scope="files:read files:write"'),
            Code.SCOPE_NEEDED,
            "Connect again",
        ),
        (status(404), Code.NOT_FOUND, "nothing at this address"),
        (status(429, retry_after="7"), Code.THROTTLED, "Try again later"),
        (status(500, "<b>Oops</b>"), Code.SERVER_ERROR, "failed (500)"),
        (status(503), Code.SERVER_ERROR, "failed (503)"),
        (lambda: HTMLResponse("<h1>Welcome</h1>"), Code.NOT_MCP, "web page"),
        (lambda: JSONResponse({"hello": "world"}), Code.PROTOCOL, "does not allow"),
        (lambda: JSONResponse({"error": "no"}, 400), Code.NOT_MCP, "does not take MCP requests (400)"),
        (lambda: RedirectResponse("https://elsewhere.example.com/mcp", 308), Code.NOT_MCP, "elsewhere.example.com"),
        (rpc_error(-32603, "The database is away", http=500), Code.SERVER_ERROR, "The database is away"),
        (rpc_error(-32603, "Not today\x00\n" + "x" * 999), Code.PROTOCOL, "Not today xxx"),
    ],
    ids=[
        "401", "403", "scope", "404", "429", "500", "503", "page", "json", "400", "redirect", "rpc-500", "rpc"
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_answer_is_said(server: McpServer, answer: fake.Answer, code: Code, said: str) -> None:
    server.answers += [answer, answer, answer]
    report = run(lambda: probe(target(server.url)))
    assert (report.ok, report.code) == (False, code)
    assert said in report.message
    assert len(report.message) < 400
    assert report.message.isprintable()


def test_what_a_refusal_says_besides_is_kept(server: McpServer) -> None:
    scope = status(403, www_authenticate='Bearer error="insufficient_scope", scope="files:read files:write"')
    server.answers += [status(429, retry_after="7")]
    throttled = run(lambda: probe(target(server.url)))
    server.answers += [scope]
    refused = run(lambda: probe(target(server.url)))
    assert throttled.error is not None
    assert refused.error is not None
    assert throttled.error.retry_after == 7
    assert refused.error.scope == "files:read files:write"


def test_a_server_without_tools_says_so() -> None:
    with mcp_server(tools=False) as bare:
        report = run(lambda: probe(target(bare.url)))
    assert (report.ok, report.code) == (False, Code.NO_TOOLS)


def test_a_server_of_the_other_transport_is_recognised(server: McpServer) -> None:
    http_for_sse = run(lambda: probe(target(server.sse_url)))
    sse_for_http = run(lambda: probe(target(server.url, SSE)))
    assert {http_for_sse.code, sse_for_http.code} == {Code.WRONG_TRANSPORT}
    assert "choose SSE" in http_for_sse.message
    assert "choose the transport Streamable HTTP" in sse_for_http.message


def _report_of(url: str, transport: Transport = Transport.STREAMABLE_HTTP, *, deadline: float | None = None) -> Report:
    return run(lambda: probe(target(url, transport), deadline=deadline))


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as deaf:  # it has the port, so that nobody else gets it, and does not listen
        deaf.bind((INSIDE, 0))
        for transport in Transport:
            report = _report_of(f"http://{INSIDE}:{deaf.getsockname()[1]}/mcp", transport)
            assert report.code is Code.UNREACHABLE


def test_what_does_not_speak_http_is_no_mcp_server() -> None:
    def greet(connection: socket.socket, head: bytes, server: Server) -> None:
        connection.sendall(b"220 mail.example.com ESMTP\r\n\r\n")

    with serving(greet, host=INSIDE) as mail:
        assert _report_of(f"http://{mail.host}:{mail.port}/mcp").code is Code.NOT_MCP


def test_a_server_that_never_answers_is_given_up_in_time(server: McpServer) -> None:
    def say_nothing(connection: socket.socket, head: bytes, server: Server) -> None:
        server.closing.wait(20)

    with serving(say_nothing, host=INSIDE) as silent:
        for transport in Transport:
            report = _report_of(f"http://{silent.host}:{silent.port}/mcp", transport, deadline=1)
            assert report.code is Code.TIMEOUT
            assert "1 second" in report.message
            assert report.seconds < 5


def test_an_address_that_is_not_public_is_refused_where_that_is_the_rule(settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    for url in ("https://127.0.0.1:9/mcp", "https://metadata.google.internal/mcp"):
        assert _report_of(url).code is Code.REFUSED_ADDRESS


def test_an_answer_that_is_too_large_is_not_read(server: McpServer, there: Target, settings: Settings) -> None:
    settings.MCP_REMOTE_ANSWER_BYTES = 20_000

    async def work() -> Code:
        async with connect(there) as session:
            with pytest.raises(RemoteError) as caught:
                await session.call("long_text", {"characters": 30_000})
            return caught.value.code

    assert run(work) is (Code.UNREACHABLE if there.transport == SSE else Code.TOO_LARGE)


@pytest.mark.parametrize(
    ("answer", "expected"), [(status(503), Code.SERVER_ERROR), (hang_up, Code.UNREACHABLE)], ids=["503", "broken off"]
)
def test_one_failed_call_leaves_the_session_to_the_others(
    server: McpServer, answer: fake.Answer, expected: Code
) -> None:
    """The library would end the session and cancel whoever opened it."""

    async def work() -> tuple[Code, str]:
        async with connect(target(server.url)) as session:
            server.answers.append(answer)
            with pytest.raises(RemoteError) as caught:
                await session.call("echo", {"text": "lost"})
            return caught.value.code, str((await session.call("echo", {"text": "found"})).structured_content)

    code, said = run(work)
    assert code is expected
    assert "found" in said


def test_the_clock_of_a_call_stands_while_a_person_thinks(server: McpServer, settings: Settings) -> None:
    settings.MCP_REMOTE_CALL_SECONDS = 5

    async def slow(question: Question) -> Answer:
        """A person, slower than the server may be: the loop's clock goes forward."""
        loop = asyncio.get_running_loop()
        time, late = loop.time, asyncio.Event()
        loop.call_later(6, late.set)
        loop.time = lambda: time() + 6  # type: ignore[method-assign]
        await late.wait()
        return Answer("accept", {"street": "Elm Street"})

    async def work() -> str:
        async with connect(target(server.url)) as session:
            return str((await session.call("ship", {"order": "tea"}, ask=slow)).structured_content)

    assert "Elm Street" in run(work)


def test_a_call_without_an_answer_ends_and_is_cancelled_there(server: McpServer, settings: Settings) -> None:
    settings.MCP_REMOTE_CALL_SECONDS = 1
    server.cancelled.clear()

    async def work() -> Code:
        async with connect(target(server.url)) as session:
            with pytest.raises(RemoteError) as caught:
                await session.call("wait", {})
            await server.reached(server.cancelled)
            return caught.value.code

    assert run(work) is Code.TIMEOUT


def test_news_of_a_modern_servers_tools_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(era, "WATCH_AFTER_SECONDS", 0)

    async def work(server: McpServer) -> None:
        changed = asyncio.Event()
        async with connect(target(server.url), on_list_changed=changed.set) as session:
            async with asyncio.timeout(20):
                while not server.asked("subscriptions/listen"):
                    await session.call("echo", {"text": "not yet"})
                await session.call("grow", {"name": "branch"})
                await changed.wait()

    with mcp_server() as server:
        run(lambda: work(server))
