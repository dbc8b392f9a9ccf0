"""What only a real socket shows: bodies that are too long, clients that hang up, streams, clients of others."""

import json
import os
import shutil
import socket
import subprocess
import threading

import anyio
import httpx2
import pytest
from mcp import ClientSession
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

from accounts.models import User
from tests.conformance.node import installed, run
from tests.factories import UserFactory
from tests.mcp_gateway import door, things
from tests.mcp_gateway.door import Live

INSPECTOR = "@modelcontextprotocol/inspector@2.12.0"
LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
MEGABYTE = 1_048_576


@pytest.fixture
def user(transactional_db: None) -> User:
    return UserFactory(name="Ada")


@pytest.fixture
def key(user: User) -> str:
    return door.api_key(user)


def head(live: Live, key: str, *lines: str) -> bytes:
    given = [
        f"POST {door.PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{live.port}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        *lines,
    ]
    return "\r\n".join(given).encode() + b"\r\n\r\n"


def answered(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    connection.settimeout(20)
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def test_a_body_declared_too_long_is_refused_before_any_of_it_is_sent(live: Live, key: str) -> None:
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head(live, key, f"Content-Length: {MEGABYTE + 1}"))
        answer = answered(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code":"too_large"' in answer


def test_a_chunked_body_is_refused_when_it_passes_the_limit_and_the_rest_is_not_read(live: Live, key: str) -> None:
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head(live, key, "Transfer-Encoding: chunked"))
        for _ in range(16):
            connection.sendall(chunk)
        connection.sendall(b"1\r\n \r\n")  # one byte more than the limit, and no last chunk: the body never ends
        answer = answered(connection)
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_long_body_is_not_read_for_somebody_without_a_key(live: Live) -> None:
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head(live, "wiz_wrong", f"Content-Length: {MEGABYTE}"))
        assert answered(connection).startswith(b"HTTP/1.1 401")


def test_a_body_of_exactly_a_megabyte_is_read(live: Live, key: str) -> None:
    answer = live.post(LIST + " " * (MEGABYTE - len(LIST)), key)
    assert answer.status_code == 200


def test_a_client_that_hangs_up_in_the_middle_of_its_body_disturbs_nobody(live: Live, key: str) -> None:
    with socket.create_connection(("127.0.0.1", live.port)) as connection:
        connection.sendall(head(live, key, "Content-Length: 1000") + b"{")
    assert live.post(LIST, key).status_code == 200


def test_curl_lists_the_tools(live: Live, key: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    told = subprocess.run(
        [
            curl,
            "-s",
            live.url,
            "-H",
            f"Authorization: Bearer {key}",
            "-H",
            "Content-Type: application/json",
            "-d",
            LIST,
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert {tool["name"] for tool in json.loads(told.stdout)["result"]["tools"]} == things.ALL


def call_body(tool: str, **params: object) -> str:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, **params}})


def test_what_is_reported_on_the_way_comes_as_a_stream_to_a_client_that_takes_one(live: Live, key: str) -> None:
    body = call_body("thing.count", _meta={"progressToken": "t"})
    answer = live.post(body, key, Accept="application/json, text/event-stream")
    assert answer.headers["content-type"] == "text/event-stream"
    events = [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [event["params"]["progress"] for event in events[:-1]] == [1, 2, 3]
    assert {event["params"]["progressToken"] for event in events[:-1]} == {"t"}
    assert events[-1]["result"]["structuredContent"]["userName"] == "three"


@pytest.mark.parametrize(
    ("meta", "accept"), [({"progressToken": "t"}, "application/json"), ({}, "application/json, text/event-stream")]
)
def test_a_client_that_takes_no_stream_or_asks_for_no_progress_gets_json(
    live: Live, key: str, meta: dict[str, str], accept: str
) -> None:
    answer = live.post(call_body("thing.count", _meta=meta), key, Accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["result"]["structuredContent"]["userName"] == "three"


def test_the_kits_client_lists_and_calls_after_a_handshake(live: Live, key: str) -> None:
    async def talk() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            streamable_http_client(live.url, http_client=http) as (read, write),
            ClientSession(read, write) as session,
        ):
            hello = await session.initialize()
            assert hello.protocol_version == "2025-11-25"
            assert {tool.name for tool in (await session.list_tools()).tools} == things.ALL
            result = await session.call_tool("thing.readHot", {})
            assert result.structured_content is not None
            assert result.structured_content["userName"] == "Ada"
            assert (await session.call_tool("thing.rename", {})).is_error

    anyio.run(talk)


def test_the_kits_client_lists_and_calls_without_a_handshake(live: Live, key: str) -> None:
    told: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async def talk() -> None:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers) as http:
            transport = streamable_http_client(live.url, http_client=http)
            async with Client(transport, mode="2026-07-28") as client:
                assert {tool.name for tool in (await client.list_tools()).tools} == things.ALL
                result = await client.call_tool("thing.count", {}, progress_callback=hear)
                assert result.structured_content == {"userName": "three", "thread": ""}

    anyio.run(talk)
    assert told == [1, 2, 3]


@pytest.mark.parametrize("method", ["tools/list", "tools/call"])
def test_the_inspector_lists_and_calls(live: Live, key: str, method: str) -> None:
    command = [
        *installed(INSPECTOR, "mcp-inspector", "the Inspector against our server"),
        "--cli",
        live.url,
        "--transport",
        "http",
    ]
    command += ["--header", f"Authorization: Bearer {key}", "--method", method]
    if method == "tools/call":
        command += ["--tool-name", "thing.read"]
    told = run(command, seconds=90)
    assert told.returncode == 0, told.stderr
    result = json.loads(told.stdout)
    if method == "tools/list":
        assert {tool["name"] for tool in result["tools"]} == things.ALL
    else:
        assert result["structuredContent"]["userName"] == "Ada"


def test_many_clients_at_once_are_all_answered(live: Live, key: str) -> None:
    statuses: list[int] = []

    def ask() -> None:
        for tool in ("thing.read", "thing.readHot", "thing.ask"):
            statuses.append(live.post(call_body(tool), key).status_code)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert statuses == [200] * 36
