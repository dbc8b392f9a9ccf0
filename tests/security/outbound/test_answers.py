"""How much of an answer is taken: bytes on the wire, bytes unpacked, and codings nobody asked for."""

import gzip
import socket
import tracemalloc
import zlib

import httpx2
import pytest

from security.outbound import Bounds, ResponseTooLarge
from tests.security.outbound.conftest import SITE
from tests.security.outbound.loopback import (
    Mode,
    Names,
    Server,
    answering,
    ask,
    header,
    serving,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"])


@pytest.mark.parametrize("chunked", [False, True])
def test_an_answer_larger_than_allowed_is_not_read_on(mode: Mode, chunked: bool, names: Names) -> None:
    bounds = Bounds(wire_bytes=100_000, body_bytes=1_000_000_000)
    sent = 0

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not server.closing.is_set():
            connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            sent += 0x10000

    with serving(script if chunked else answering(b"x" * 200_000)) as server, pytest.raises(ResponseTooLarge):
        ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=bounds)
    assert sent < 20_000_000  # what two sockets' buffers hold, and no more


def test_an_answer_as_large_as_allowed_is_read(mode: Mode, names: Names) -> None:
    with serving(answering(b"x" * 100_000)) as server:
        bounds = Bounds(wire_bytes=100_000, body_bytes=100_000)
        assert len(ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=bounds).content) == 100_000


def _packed(coding: str, body: bytes) -> bytes:
    if coding == "raw deflate":
        stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return stream.compress(body) + stream.flush()
    return gzip.compress(body) if coding == "gzip" else zlib.compress(body)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate"])
def test_a_bomb_is_stopped_while_it_unpacks(mode: Mode, coding: str, names: Names) -> None:
    bomb = _packed(coding, b"\0" * 50_000_000)
    assert len(bomb) < 60_000
    with serving(answering(bomb, Content_Encoding=coding.removeprefix("raw "))) as server:
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLarge):
                ask(mode, f"http://{SITE}:{server.port}/", names=names, bounds=Bounds(body_bytes=1_000_000))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 10_000_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "raw deflate"])
def test_a_packed_answer_is_unpacked(mode: Mode, coding: str, names: Names) -> None:
    body = b'{"hello": "world"}' * 10_000
    with serving(answering(_packed(coding, body), Content_Encoding=coding.removeprefix("raw "))) as server:
        response = ask(mode, f"http://{SITE}:{server.port}/", names=names)
        assert header(server.requests[0], "accept-encoding") == "gzip, deflate"
    assert response.content == body
    assert "content-encoding" not in response.headers


def test_only_what_can_be_unpacked_is_asked_for_whatever_a_caller_wants(mode: Mode, names: Names) -> None:
    with serving(answering()) as server:
        ask(mode, f"http://{SITE}:{server.port}/", names=names, headers={"Accept-Encoding": "br, zstd"})
        assert header(server.requests[0], "accept-encoding") == "gzip, deflate"


def test_gzip_in_several_members_is_one_answer(mode: Mode, names: Names) -> None:
    with serving(answering(gzip.compress(b"hello ") + gzip.compress(b"world"), Content_Encoding="gzip")) as server:
        assert ask(mode, f"http://{SITE}:{server.port}/", names=names).text == "hello world"


def test_an_empty_answer_that_calls_itself_packed_is_empty(mode: Mode, names: Names) -> None:
    with serving(answering(b"", Content_Encoding="gzip")) as server:
        assert ask(mode, f"http://{SITE}:{server.port}/", names=names).content == b""


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("br", b"\x0b\x02\x80hello\x03"),
        ("zstd", b"\x28\xb5\x2f\xfd\x04\x00"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"hello"))),
        ("gzip, deflate", zlib.compress(gzip.compress(b"hello"))),
        ("gzip, br", b"x"),
        ("compress", b"x"),
        ("gzip", b"not packed at all"),
        ("deflate", b"not packed at all"),
        ("gzip", gzip.compress(b"hello" * 1000)[:-9]),
        ("gzip", gzip.compress(b"hello") + b"and more"),
    ],
    # What gzip packs tells the time: as a name it would differ between two processes that collect it.
    ids=[
        "brotli",
        "zstandard",
        "gzip twice",
        "gzip in deflate",
        "brotli in gzip",
        "compress",
        "gzip in name",
        "deflate in name",
        "gzip cut short",
        "gzip with more behind",
    ],
)
def test_an_answer_packed_as_nobody_asked_or_badly_is_an_error(
    mode: Mode, coding: str, body: bytes, names: Names
) -> None:
    with serving(answering(body, Content_Encoding=coding)) as server, pytest.raises(httpx2.DecodingError):
        ask(mode, f"http://{SITE}:{server.port}/", names=names)
