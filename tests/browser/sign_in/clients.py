"""Clients of others as the tests run them, and what a person does in the browser that a client opens."""

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
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from playwright.sync_api import Page, expect
from pydantic import AnyUrl

from accounts.models import User

PASSWORD = "a lantern over the harbour"
SECONDS = 60


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

    def __init__(self, url: str, redirect: str, came: "queue.Queue[str]", document: str | None = None) -> None:
        super().__init__(name="kit's client")
        self.url, self.redirect, self.came = url, redirect, came
        self.document = document  # the address of what it publishes about itself; without one it registers
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
        provider = OAuthClientProvider(
            self.url, metadata, self.memory, visit, come_back, client_metadata_url=self.document
        )
        async with (
            httpx2.AsyncClient(auth=provider, timeout=SECONDS) as http_client,
            Client(streamable_http_client(self.url, http_client=http_client)) as client,
        ):
            self.tools = [tool.name for tool in (await client.list_tools()).tools]
            self.context = (await client.call_tool("getContext", {})).structured_content


def address_in(said: "queue.Queue[str]") -> str:
    """The address that a program asks the person to visit."""
    while True:
        found = re.search(r"http://127\.0\.0\.1:\d+/oauth/authorize\S+", said.get(timeout=SECONDS))
        if found:
            return found[0]
