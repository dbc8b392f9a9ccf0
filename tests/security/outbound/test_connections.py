"""Where a request connects, over real sockets: to the address that was judged, in the name that was asked for."""

import asyncio
import socket
import ssl
import threading
import time
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import anyio
import httpcore2
import httpx2
import pytest

from security import outbound
from security.outbound import Bounds, OutboundRefused, Policy, validate_url
from security.outbound.dial import AsyncGuardedBackend, GuardedBackend
from tests.security.outbound.conftest import OTHER, SITE
from tests.security.outbound.loopback import (
    INSIDE,
    OPENED,
    POLICY,
    PUBLIC,
    Authority,
    Mode,
    Names,
    Server,
    answering,
    ask,
    header,
    serving,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"])


def test_a_name_that_turns_private_after_it_was_saved_is_refused(mode: Mode, canary: Server) -> None:
    names = Names()
    names.add(SITE, [PUBLIC], [INSIDE])
    url = validate_url(f"http://{SITE}:{canary.port}/", policy=POLICY, resolve=True, resolver=names)
    with pytest.raises(OutboundRefused):
        ask(mode, url, names=names)
    assert names.asked == [SITE, SITE]
    assert canary.connections == 0


def test_a_name_is_looked_up_once_for_a_connection_and_not_again_while_it_is_kept(names: Names) -> None:
    names.add(SITE, [PUBLIC], [INSIDE])
    with serving(answering()) as server, outbound.client(policy=POLICY, resolver=names) as client:
        for _ in range(3):
            assert client.get(f"http://{SITE}:{server.port}/").text == "hello"
        assert server.connections == 1
    assert names.asked == [SITE]


def test_what_is_an_address_already_is_judged_and_dialled_without_a_lookup(mode: Mode, canary: Server) -> None:
    names = Names()
    with serving(answering()) as server:
        assert ask(mode, f"http://{PUBLIC}:{server.port}/", names=names).text == "hello"
    with pytest.raises(OutboundRefused):
        ask(mode, f"http://{INSIDE}:{canary.port}/", names=names)
    assert (names.asked, canary.connections) == ([], 0)


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer(mode: Mode) -> None:
    names = Names()
    names.add(SITE, ["127.0.0.3", PUBLIC])
    policy = Policy(opened=(*OPENED, ip_network("127.0.0.3/32")), plain_http=True)
    with serving(answering()) as server:
        assert ask(mode, f"http://{SITE}:{server.port}/", names=names, policy=policy).text == "hello"


def test_a_lookup_that_hangs_is_given_up_in_time(mode: Mode) -> None:
    release = threading.Event()

    def hanging(host: str, port: int) -> list[str]:
        release.wait(20)
        return [PUBLIC]

    began = time.monotonic()
    try:
        with pytest.raises(httpx2.ConnectTimeout):
            ask(mode, f"http://{SITE}/", names=hanging, bounds=Bounds(connect=0.2))
    finally:
        release.set()
    assert time.monotonic() - began < 5


def test_a_connection_that_ends_elsewhere_than_dialled_is_closed_unused(mode: Mode, canary: Server) -> None:
    """As behind a network that translates addresses: the canary is where every connection goes."""

    class Astray(httpcore2.SyncBackend):
        def connect_tcp(self, host: str, port: int, *rest: Any, **named: Any) -> httpcore2.NetworkStream:
            return super().connect_tcp(INSIDE, port, *rest, **named)

    class AsyncAstray(httpcore2.AnyIOBackend):
        async def connect_tcp(self, host: str, port: int, *rest: Any, **named: Any) -> httpcore2.AsyncNetworkStream:
            return await super().connect_tcp(INSIDE, port, *rest, **named)

    names = Names()
    names.add(SITE, [PUBLIC])

    def dial() -> None:
        if mode == "sync":
            GuardedBackend(POLICY, encrypted=False, resolver=names, inner=Astray()).connect_tcp(SITE, canary.port, 5)
        else:
            backend = AsyncGuardedBackend(POLICY, encrypted=False, resolver=names, inner=AsyncAstray())
            anyio.run(backend.connect_tcp, SITE, canary.port, 5)

    with pytest.raises(OutboundRefused):
        dial()
    assert canary.requests == []


def test_a_socket_of_this_machine_is_never_opened(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "daemon"))
        listening.listen()
        with pytest.raises(OutboundRefused):
            GuardedBackend(POLICY, encrypted=False, resolver=Names()).connect_unix_socket(str(tmp_path / "daemon"))
        backend = AsyncGuardedBackend(POLICY, encrypted=False, resolver=Names())
        with pytest.raises(OutboundRefused):
            asyncio.run(backend.connect_unix_socket(str(tmp_path / "daemon")))


def test_proxies_of_the_environment_are_not_used(
    mode: Mode, names: Names, canary: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, f"http://{INSIDE}:{canary.port}")
        monkeypatch.setenv(variable.lower(), f"http://{INSIDE}:{canary.port}")
    with serving(answering()) as server:
        assert ask(mode, f"http://{SITE}:{server.port}/", names=names).text == "hello"
    assert canary.connections == 0


def test_the_name_is_kept_for_the_host_header_for_sni_and_for_the_certificate(
    mode: Mode, names: Names, tmp_path: Path
) -> None:
    authority, asked = Authority(tmp_path), list[str | None]()
    with serving(answering(), tls=authority.server_context(SITE, asked)) as server:
        url = f"https://{SITE}:{server.port}/"
        assert ask(mode, url, names=names, tls=authority.client_context()).text == "hello"
        assert asked == [SITE]
        assert header(server.requests[0], "host") == f"{SITE}:{server.port}"


@pytest.mark.parametrize("case", ["another name", "an unknown authority"])
def test_a_server_that_cannot_prove_its_name_is_sent_nothing(
    mode: Mode, case: str, names: Names, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    certified = OTHER if case == "another name" else SITE
    trusted = authority.client_context() if case == "another name" else ssl.create_default_context()
    with serving(answering(), tls=authority.server_context(certified, [])) as server:
        with pytest.raises(httpx2.ConnectError):
            ask(mode, f"https://{SITE}:{server.port}/", names=names, tls=trusted)
        assert server.requests == []
