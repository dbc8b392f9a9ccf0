"""Names that turn round, and answers made to cost us dearly: each is given up in time, and none is used."""

import gzip
import socket
import time
from collections.abc import Callable
from ipaddress import ip_network

import pytest
from pytest_django import Settings

from mcp_gateway.models import Transport
from mcp_gateway.remote.oauth import wire
from security.outbound import Bounds, Policy
from tests.mcp_gateway.remote.guard.conftest import Guard
from tests.mcp_gateway.remote.guard.places import (
    AUTHORITY,
    MCP,
    NAME,
    REGISTER,
    RESOURCE,
    REVOKE,
    SSE,
    TOKEN,
    Stage,
    play,
    redeem_code,
    redeem_refresh,
    revoke,
    sign_in,
)
from tests.security.outbound.loopback import INSIDE, PUBLIC, Names, Script, Server, answering, serving

pytestmark = [pytest.mark.django_db, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])]

# Everything that is asked of somebody else, by the path that answers, and what comes of an answer that is not taken.
DOORS: list[tuple[str, str, Callable[[Stage], str], str]] = [
    ("call", MCP, play, "too_large"),
    ("resource", RESOURCE, sign_in, "provider_unavailable"),
    ("authority", AUTHORITY, sign_in, "provider_unavailable"),
    ("registration", REGISTER, sign_in, "provider_unavailable"),
    ("code", TOKEN, lambda stage: redeem_code(stage.site.provider()), "ProviderUnavailable"),
    ("refresh", TOKEN, lambda stage: redeem_refresh(stage.site.provider()), "ProviderUnavailable"),
    ("revocation", REVOKE, lambda stage: revoke(stage.site.provider()), "not revoked"),
]
EVERY_DOOR = pytest.mark.parametrize(("path", "door", "word"), [door[1:] for door in DOORS], ids=[d[0] for d in DOORS])


def enter(stage: Stage, door: Callable[[Stage], str], transport: Transport = Transport.STREAMABLE_HTTP) -> str:
    stage.lead(stage.site.url, transport, sign_in=door is sign_in)
    return door(stage)


def captured(script: Script, stage: Stage) -> bytes:
    """What the site would have answered."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        script(theirs, b"", stage.site.server)
        return ours.recv(65536)


@EVERY_DOOR
def test_a_bomb_is_not_unpacked(
    path: str, door: Callable[[Stage], str], word: str, stage: Stage, settings: Settings
) -> None:
    """It is what would have been answered, with 20 MB of blanks behind it, which JSON allows."""
    settings.MCP_REMOTE_ANSWER_BYTES = 100_000
    body = captured(stage.site.answers[path], stage).partition(b"\r\n\r\n")[2]
    bomb = gzip.compress((body or b"{}") + b" " * 20_000_000)
    stage.site.answers[path] = answering(
        bomb, Content_Type="application/json", Content_Encoding="gzip", Connection="close"
    )
    assert enter(stage, door) == word
    assert stage.site.asked(path)


def dripping(first: bytes, then: bytes) -> Script:
    """A little twenty times a second, so that every single wait is short; for 15 seconds, longer than a test waits."""

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        connection.sendall(first)
        for _ in range(300):
            if server.closing.wait(0.05):
                return
            connection.sendall(then)

    return script


LONG = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90000\r\n\r\n{"


@EVERY_DOOR
def test_an_answer_that_drips_is_given_up(
    path: str,
    door: Callable[[Stage], str],
    word: str,
    stage: Stage,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.MCP_REMOTE_CONNECT_SECONDS = settings.MCP_REMOTE_CALL_SECONDS = 0.4
    monkeypatch.setattr(wire, "BOUNDS", Bounds(total=0.4))
    stage.site.answers[path] = dripping(LONG, b" ")
    began = time.monotonic()
    assert enter(stage, door) == ("timeout" if word == "too_large" else word)
    assert time.monotonic() - began < 12


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


ENDLESS = {"line": (b"data: ", b"x"), "lines": (b"event: message\n", b"data: x\n"), "comment": (b": ", b"x")}


@pytest.mark.parametrize("transport", Transport)
@pytest.mark.parametrize("kind", ENDLESS)
def test_an_event_without_an_end_is_not_read_on(
    kind: str, transport: Transport, stage: Stage, settings: Settings
) -> None:
    first, then = ENDLESS[kind]
    settings.MCP_REMOTE_ANSWER_BYTES = 100_000
    sent = 0

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        nonlocal sent
        connection.sendall(EVENTS + first)
        while not server.closing.is_set():
            connection.sendall(then * 0x10000)
            sent += 0x10000

    stage.site.answers[MCP] = script
    assert enter(stage, play, transport) in ("too_large", "wrong_transport")
    assert sent < 50_000_000  # what sockets' buffers hold of a few requests, and no more


def test_a_message_that_is_answered_by_an_event_without_an_end_is_not_read_on(stage: Stage, settings: Settings) -> None:
    """The oldest servers answer on their stream, and to the message itself by a status alone."""
    settings.MCP_REMOTE_CONNECT_SECONDS = 1
    sent = 0

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        nonlocal sent
        if b"GET " in head:
            dripping(EVENTS + b"event: endpoint\ndata: /mcp\n\n", b": here\n\n")(connection, head, server)
        connection.sendall(EVENTS + b"data: ")
        while not server.closing.is_set():
            connection.sendall(b"x" * 0x10000)
            sent += 0x10000

    stage.site.answers[MCP] = script
    assert enter(stage, play, SSE) == "timeout"
    assert sent < 50_000_000


@pytest.mark.parametrize("transport", Transport)
def test_a_stream_that_says_nothing_for_ever_is_left(transport: Transport, stage: Stage, settings: Settings) -> None:
    settings.MCP_REMOTE_CONNECT_SECONDS = 0.5
    stage.site.answers[MCP] = dripping(EVENTS, b": still here\n\n")
    assert enter(stage, play, transport) in ("timeout", "wrong_transport")
    assert enter(stage, sign_in, transport) == "ok", "what else it has to say is not waited for"


# Names that turn round ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "door"), [door[1:3] for door in DOORS], ids=[door[0] for door in DOORS])
def test_a_name_that_turns_inside_after_its_first_answer_leads_nowhere(
    path: str, door: Callable[[Stage], str], stage: Stage, names: Names
) -> None:
    """The inside listens on the very port of the site, so that only the address tells them apart."""
    with serving(answering(b"the inside"), host=INSIDE, port=stage.site.port) as inside:
        names.add(NAME, [PUBLIC], [INSIDE])
        enter(stage, door)
        asked_outside = len(stage.site.server.requests)
        enter(stage, door)
        assert inside.connections == 0
    assert asked_outside >= 1
    assert len(stage.site.server.requests) == asked_outside
    assert names.asked.count(NAME) >= 2


def test_a_name_that_turns_inside_would_be_followed_where_that_is_let(guard: Guard, stage: Stage, names: Names) -> None:
    guard.policy = Policy(opened=(ip_network(f"{PUBLIC}/32"), ip_network(INSIDE)), plain_http=True)
    with serving(answering(b"the inside"), host=INSIDE, port=stage.site.port) as inside:
        names.add(NAME, [PUBLIC], [INSIDE])
        enter(stage, sign_in)
        assert inside.connections > 0
