"""Calls that take long: signs of life, and what it means when the client hangs up."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import User
from mcp_gateway import stream
from mcp_gateway.asgi import Endpoint
from security.models import AuditEntry
from tests.factories import UserFactory
from tests.mcp_gateway import door, things
from tests.mcp_gateway.door import MODERN, Live

SECONDS = 20
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Iterator[things.Waiting]:
    at = things.Waiting()
    monkeypatch.setattr(things, "waiting", at)
    yield at
    at.released.set()


def calling(live: Live, version: str, tool: str = "thing.wait") -> socket.socket:
    """A connection on which the tool was called."""
    params = {"name": tool, "arguments": {}, "_meta": META if version == MODERN else {}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    lines = [
        f"POST {door.PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{live.port}",
        f"Authorization: Bearer {door.api_key(UserFactory())}",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        f"MCP-Protocol-Version: {version}",
        "Mcp-Method: tools/call",
        f"Mcp-Name: {tool}",
        f"Content-Length: {len(body)}",
    ]
    connection = socket.create_connection(("127.0.0.1", live.port), timeout=SECONDS)
    connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
    return connection


@pytest.fixture
def served(transactional_db: None, settings: Settings) -> Endpoint:
    settings.MCP_SERVER_RATE_PER_MINUTE = 0
    return door.endpoint(things.SERVER, things.registry)


def test_in_the_newer_revision_hanging_up_cancels_a_read_which_leaves_its_entry(
    served: Endpoint, waiting: things.Waiting
) -> None:
    with door.live(served) as live:
        with calling(live, MODERN):
            assert waiting.began.wait(SECONDS)
        assert waiting.cancelled.wait(SECONDS)
    entry = AuditEntry.objects.get(tool="thing.wait")
    assert (entry.outcome, entry.error_code) == ("error", "cancelled")


def test_a_write_that_has_begun_goes_on_to_its_end_though_the_client_hangs_up(
    served: Endpoint, waiting: things.Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung_up = threading.Event()
    monkeypatch.setattr(stream.HungUp, "__init__", lambda *_: hung_up.set())
    with door.live(served) as live:
        with calling(live, MODERN, "thing.hold"):
            assert waiting.began.wait(SECONDS)
        assert hung_up.wait(SECONDS)
        waiting.released.set()
    assert User.objects.get().name == "held"
    assert AuditEntry.objects.get(tool="thing.hold").outcome == "ok"


def test_before_it_a_lost_connection_says_nothing_of_what_the_client_wants(
    live: Live, waiting: things.Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    with calling(live, "2025-11-25"):
        assert waiting.began.wait(SECONDS)
    assert not waiting.cancelled.wait(4 * stream.LONG_SECONDS)


@pytest.mark.parametrize("version", ["2025-11-25", MODERN])
def test_a_silent_call_shows_that_it_lives_and_then_gives_its_result(
    live: Live, waiting: things.Waiting, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(stream, "SILENCE_SECONDS", 0.05)
    with calling(live, version) as connection:
        received = b""
        while received.count(b": still working") < 2:
            received += connection.recv(65536)
        waiting.released.set()
        while b'"result"' not in received:
            received += connection.recv(65536)
    assert b"text/event-stream" in received
    assert b'"userName":"waited"' in received
