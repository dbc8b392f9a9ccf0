"""Clients of others sign in from nothing: a 401, the way from there, a person in a real browser, tokens, tools."""

import asyncio
import http.server
import json
import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from playwright.sync_api import Browser, ConsoleMessage, Page, expect
from pydantic import AnyUrl

from accounts.models import User
from mcp_gateway.models import Application, Connection
from tests.browser import inspection
from tests.conformance.node import installed
from tests.factories import UserFactory
from tests.mcp_gateway.oauth.flow import member
from tests.mcp_gateway.oauth.running import Platform, platform

REMOTE = "mcp-remote@0.15.1"
SUITE = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
PASSWORD = "a lantern over the harbour"
SECONDS = 60


@pytest.fixture
def person(transactional_db: None) -> User:
    user: User = UserFactory(name="Ada")
    # As the platform hashes, not as the tests do, for it is another process that checks it; few rounds, for speed.
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt-of-a-test", iterations=1000)
    user.save()
    member(user, "Harbour Lights")
    return user


@pytest.fixture
def served(person: User, tmp_path: Path) -> Iterator[Platform]:
    with platform(tmp_path) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, served: Platform) -> Iterator[Page]:
    """A page that fails the test on any error of ours in the console; the clients' own pages may be as they are."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    errors: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if _is_ours(message, served.url) else None)
    yield page
    context.close()
    assert not errors


def _is_ours(message: ConsoleMessage, url: str) -> bool:
    return message.type == "error" and message.location["url"].startswith(url)


def sign_in_and_agree(page: Page, url: str, person: User) -> None:
    """What a person does in the browser that a client opened."""
    page.goto(url)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Let")
    expect(page.get_by_text("Harbour Lights")).to_be_visible()
    page.get_by_role("button", name="Let it in").click()


@contextmanager
def listening() -> Iterator[tuple[str, "queue.Queue[str]"]]:
    """A redirect address on this machine, and what comes to it."""
    came: queue.Queue[str] = queue.Queue()

    class Callback(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>Back</title><h1>Back at the client</h1>")
            if self.path.startswith("/callback"):
                came.put(self.path)

        def log_message(self, *words: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/callback", came
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs beside the test, line by line."""

    process: "subprocess.Popen[str]"
    output: "queue.Queue[str]"
    errors: "queue.Queue[str]"

    def send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def answer(self) -> Any:
        return json.loads(self.output.get(timeout=SECONDS))["result"]


@contextmanager
def program(command: list[str], environment: dict[str, str]) -> Iterator[Program]:
    pipe = subprocess.PIPE
    # A group of its own, for the wheel's node is a wrapper, and killing that alone leaves the program running.
    with subprocess.Popen(
        command, text=True, env=environment, start_new_session=True, stdin=pipe, stdout=pipe, stderr=pipe
    ) as process:
        running = Program(process, queue.Queue(), queue.Queue())
        readers = [
            threading.Thread(target=_read_lines, args=(process.stdout, running.output)),
            threading.Thread(target=_read_lines, args=(process.stderr, running.errors)),
        ]
        for reader in readers:
            reader.start()
        try:
            yield running
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for reader in readers:
                reader.join(10)


def _read_lines(stream: Any, lines: "queue.Queue[str]") -> None:
    for line in stream:
        lines.put(line)


class Memory:
    """Where the kit's client keeps what it is given."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class KitsClient(threading.Thread):
    """The kit's client in a thread of its own, asking for a browser through a queue."""

    def __init__(self, url: str, redirect: str, came: "queue.Queue[str]") -> None:
        super().__init__(name="kit's client")
        self.url, self.redirect, self.came = url, redirect, came
        self.wants_visited: queue.Queue[str] = queue.Queue()
        self.memory = Memory()
        self.tools: list[str] = []
        self.context: Any = None
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            asyncio.run(self._talk())
        except BaseException as failure:  # told to the test, which waits for it
            self.failure = failure

    async def _talk(self) -> None:
        async def visit(url: str) -> None:
            self.wants_visited.put(url)

        async def come_back() -> AuthorizationCodeResult:
            path = await asyncio.to_thread(self.came.get, timeout=SECONDS)
            back = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
            return AuthorizationCodeResult(code=back["code"], state=back.get("state"), iss=back.get("iss"))

        metadata = OAuthClientMetadata(client_name="The kit", redirect_uris=[AnyUrl(self.redirect)])
        provider = OAuthClientProvider(self.url, metadata, self.memory, visit, come_back)
        async with (
            httpx2.AsyncClient(auth=provider, timeout=SECONDS) as http_client,
            Client(streamable_http_client(self.url, http_client=http_client)) as client,
        ):
            self.tools = [tool.name for tool in (await client.list_tools()).tools]
            self.context = (await client.call_tool("getContext", {})).structured_content


def test_the_kits_client_signs_in_from_nothing_and_calls_a_tool(served: Platform, person: User, page: Page) -> None:
    with listening() as (redirect, came):
        client = KitsClient(served.mcp, redirect, came)
        client.start()
        sign_in_and_agree(page, client.wants_visited.get(timeout=SECONDS), person)
        expect(page.get_by_role("heading", level=1)).to_have_text("Back at the client")
        client.join(SECONDS)
    assert client.failure is None
    assert {"getContext", "searchDocs", "schemaValidate"} <= set(client.tools)
    assert client.context["email"] == person.email
    assert client.memory.tokens is not None
    assert client.memory.tokens.refresh_token
    assert Connection.objects.get().application.name == "The kit"


def test_mcp_remote_signs_in_from_nothing_and_calls_a_tool(
    served: Platform, person: User, page: Page, tmp_path: Path
) -> None:
    command = installed(REMOTE, "mcp-remote")
    environment = {
        **os.environ,
        "MCP_REMOTE_CONFIG_DIR": str(tmp_path / "remote"),
        "BROWSER": "true",
        "PATH": "/nowhere",
    }
    with program([*command, served.mcp], environment) as remote:
        sign_in_and_agree(page, _address_in(remote.errors), person)
        ask = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        remote.send({"id": 1, "method": "initialize", "params": ask})
        assert remote.answer()["serverInfo"]["name"] == "asterism"
        remote.send({"method": "notifications/initialized"})
        remote.send({"id": 2, "method": "tools/call", "params": {"name": "getContext", "arguments": {}}})
        context = remote.answer()["structuredContent"]
    assert [one["name"] for one in context["organizations"]] == ["Harbour Lights"]


def test_the_protocols_suite_is_content_with_the_authorization_server(
    served: Platform, person: User, page: Page, tmp_path: Path
) -> None:
    command = installed(SUITE, "conformance")
    with listening() as (free, _):
        port = urlsplit(free).port
    application = Application.objects.create(
        name="The suite", client_type="public", redirect_uris="http://127.0.0.1/callback"
    )
    asked = [
        "--client-id",
        application.client_id,
        "--resource",
        served.mcp,
        "-p",
        str(port),
        "-o",
        str(tmp_path / "told"),
    ]
    with program([*command, "authorization", "--url", served.url, *asked], dict(os.environ)) as suite:
        sign_in_and_agree(page, _address_in(suite.output), person)
        suite.process.wait(SECONDS)
    told = "\n".join(suite.output.queue)
    checks = [check for path in (tmp_path / "told").rglob("checks.json") for check in json.loads(path.read_text())]
    statuses = {check["id"]: check["status"] for check in checks}
    assert suite.process.returncode == 0, told
    assert set(statuses.values()) == {"SUCCESS"}, told
    assert {"authorization-server-metadata", "authorization-server-metadata-cimd"} < set(statuses), told


def test_the_consent_page_is_accessible_narrow_and_usable_by_keyboard(
    served: Platform, person: User, page: Page, axe: str
) -> None:
    application = Application.objects.create(
        name="An editor with a name as long as a name may well be",
        client_type="public",
        client_uri="https://an.editor.with.a.long.host.example.net/",
        redirect_uris="http://127.0.0.1/callback",
    )
    query = (
        f"response_type=code&client_id={application.client_id}&redirect_uri=http://127.0.0.1:1/callback&scope=admin"
        "&state=s&code_challenge_method=S256&code_challenge=" + "c" * 43
    )
    page.goto(f"{served.url}/oauth/authorize?{query}")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Let it in")).to_be_visible()
    faults = [*inspection.outline(page), *inspection.keyboard(page), *inspection.accessibility(page, axe, "light")]
    faults += inspection.accessibility(page, axe, "dark")
    page.set_viewport_size({"width": 360, "height": 740})
    faults += [*inspection.width(page), *inspection.accessibility(page, axe, "light")]
    assert not faults


def test_the_consent_page_cannot_be_framed(served: Platform, person: User, chromium: Browser) -> None:
    """A page of somebody else that lays ours under an innocent button gets an empty frame."""
    application = Application.objects.create(
        name="An editor", client_type="public", redirect_uris="http://127.0.0.1/callback"
    )
    query = f"response_type=code&client_id={application.client_id}&code_challenge_method=S256&code_challenge={'c' * 43}"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/dashboard"))
    framed = f'<!doctype html><title>Prize</title><iframe src="{served.url}/oauth/authorize?{query}"></iframe>'
    page.route("https://prize.example/", lambda route: route.fulfill(body=framed, content_type="text/html"))
    page.goto("https://prize.example/")
    frame = page.frames[1]
    assert frame.get_by_role("button", name="Let it in").count() == 0
    context.close()


def _address_in(said: "queue.Queue[str]") -> str:
    """The address that a program asks the person to visit."""
    while True:
        found = re.search(r"http://127\.0\.0\.1:\d+/oauth/authorize\S+", said.get(timeout=SECONDS))
        if found:
            return found[0]
