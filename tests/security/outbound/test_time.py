"""How long a request takes at most, whatever the server does, and how long an event stream may."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from security import outbound
from security.outbound import Bounds, ResponseTooLarge, body, clock
from tests.security.outbound.conftest import SITE
from tests.security.outbound.loopback import (
    POLICY,
    PUBLIC,
    Mode,
    Names,
    Server,
    answering,
    ask,
    redirecting,
    serving,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"])


def _dripping(parts: Iterable[bytes]) -> Any:
    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        for part in parts:
            connection.sendall(part)
            if server.closing.wait(0.05):
                return

    return script


def _for_long(first: bytes, then: bytes) -> Iterator[bytes]:
    """Five seconds of it: longer than any test allows, and an end should nothing stop it."""
    yield first
    yield from repeat(then, 100)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-More: x\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"H", b""),
    ],
    ids=["body", "chunks", "headers", "informational", "silence"],
)
def test_a_server_that_drips_is_given_up_when_the_whole_time_is_over(
    mode: Mode, first: bytes, then: bytes, names: Names
) -> None:
    began = time.monotonic()
    with serving(_dripping(_for_long(first, then))) as server:
        with pytest.raises(httpx2.TimeoutException):
            ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=Bounds(total=0.4, read=5))
        assert time.monotonic() - began < 4


def test_redirects_share_one_time(mode: Mode, names: Names) -> None:
    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        if not server.closing.wait(0.15):
            redirecting(lambda _: "/again")(connection, head, server)

    with serving(script) as server:
        with pytest.raises(httpx2.TimeoutException):
            ask(mode, f"http://{SITE}:{server.port}/", names=names, redirects=50, bounds=Bounds(total=0.5))
        assert len(server.requests) < 10


def test_a_server_that_never_finishes_its_handshake_is_given_up(mode: Mode, names: Names) -> None:
    with socket.create_server((PUBLIC, 0)) as silent:
        port = silent.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(httpx2.TimeoutException):
            ask(mode, f"https://{SITE}:{port}/", names=names, bounds=Bounds(connect=0.3))
        assert time.monotonic() - began < 3


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"


def _event(text: str) -> bytes:
    line = f"data: {text}\n\n".encode()
    return f"{len(line):x}\r\n".encode() + line + b"\r\n"


def test_an_event_stream_outlives_the_time_and_size_of_a_request(
    mode: Mode, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounds = Bounds(total=30, wire_bytes=500, body_bytes=500, event_stream_idle=10)
    begun = threading.Event()

    def begins(headers: httpx2.Headers) -> bool:
        begun.set()
        return is_event_stream(headers)

    is_event_stream = body._is_event_stream
    monkeypatch.setattr(body, "_is_event_stream", begins)
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + (bounds.total or 0) * begun.is_set())
    monkeypatch.setattr(clock, "time", later)
    with serving(_dripping([EVENTS, b"".join(_event("x" * 100) for _ in range(20)), b"0\r\n\r\n"])) as server:
        text = ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=bounds).text
    assert text.count("data: ") == 20


def test_an_event_stream_that_falls_silent_is_given_up(mode: Mode, names: Names) -> None:
    with serving(_dripping(_for_long(EVENTS + _event("hello"), b""))) as server, pytest.raises(httpx2.ReadTimeout):
        ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=Bounds(event_stream_idle=0.2))


def test_an_event_stream_is_an_answer_like_any_other_where_none_is_expected(mode: Mode, names: Names) -> None:
    with serving(_dripping(_for_long(EVENTS, _event("x")))) as server, pytest.raises(httpx2.TimeoutException):
        ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=Bounds(total=0.3))


def test_other_answers_stay_bounded_where_event_streams_are_expected(mode: Mode, names: Names) -> None:
    bounds = Bounds(body_bytes=1_000, event_stream_idle=5)
    with (
        serving(answering(b"{" + b" " * 2_000, Content_Type="application/json")) as server,
        pytest.raises(ResponseTooLarge),
    ):
        ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=bounds)


def test_events_arrive_one_by_one_and_leaving_ends_the_connection(names: Names) -> None:
    left = threading.Event()

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        connection.sendall(EVENTS + _event("first"))
        if not connection.recv(1):
            left.set()

    async def first_event(port: int) -> str:
        bounds = Bounds(event_stream_idle=10)
        async with (
            outbound.async_client(bounds, policy=POLICY, resolver=names) as client,
            client.sse(f"http://{SITE}:{port}/") as events,
        ):
            async for event in events:
                return event.data
        return ""

    with serving(script) as server:
        assert asyncio.run(first_event(server.port)) == "first"
        assert left.wait(5)
