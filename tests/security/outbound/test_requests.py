"""What a request carries along, at first and over redirects, and what is said about one that was refused."""

import logging
import socket
from pathlib import Path
from typing import Any

import httpx2
import pytest

from security import outbound
from security.outbound import OutboundRefused
from tests.security.outbound.conftest import OTHER, SITE
from tests.security.outbound.loopback import (
    INSIDE,
    POLICY,
    Authority,
    Mode,
    Names,
    Server,
    answering,
    ask,
    header,
    redirecting,
    serving,
)

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "127.0.0.3", "::1"])


@pytest.mark.parametrize(
    ("headers", "extensions"),
    [
        ({"Host": "127.0.0.1"}, {}),
        ({"X-Key": "a\r\nX-Injected: 1"}, {}),
        ({"X-Key\r\nX-Injected": "1"}, {}),
        ({"X-Key": "a\nb"}, {}),
        ({"X-Key": "a\0b"}, {}),
        ({"Transfer-Encoding": "chunked", "Content-Length": "3"}, {}),
        ({"Upgrade": "h2c"}, {}),
        ({"Proxy-Authorization": "Basic x"}, {}),
        ({}, {"sni_hostname": OTHER}),
        ({}, {"target": b"http://127.0.0.1/"}),
    ],
    ids=str,
)
def test_a_header_or_extension_that_would_make_it_another_request_is_refused(
    mode: Mode, headers: dict[str, str], extensions: dict[str, Any], names: Names
) -> None:
    with serving(answering()) as server:
        with pytest.raises(OutboundRefused):
            ask(mode, f"http://{SITE}:{server.port}/", names=names, headers=headers, extensions=extensions)
        assert server.requests == []


def test_a_tunnel_is_refused(mode: Mode, names: Names) -> None:
    with serving(answering()) as server:
        with pytest.raises(OutboundRefused):
            ask(mode, f"http://{SITE}:{server.port}/", method="CONNECT", names=names)
        assert server.requests == []


def test_no_cookie_is_remembered_from_one_request_to_the_next(names: Names) -> None:
    with (
        serving(answering(Set_Cookie="session=ada")) as server,
        outbound.client(policy=POLICY, resolver=names) as client,
    ):
        client.get(f"http://{SITE}:{server.port}/")
        client.get(f"http://{SITE}:{server.port}/")
        assert [header(request, "cookie") for request in server.requests] == [None, None]


def test_a_redirect_is_an_answer_unless_some_are_allowed(mode: Mode, names: Names, canary: Server) -> None:
    with serving(redirecting(lambda _: f"http://{INSIDE}:{canary.port}/")) as server:
        assert ask(mode, f"http://{SITE}:{server.port}/", names=names).status_code == 302
    assert canary.connections == 0


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "//127.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://0x7f000001:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://user:secret@127.0.0.2:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
    ],
)
@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_to_the_inside_is_refused(
    mode: Mode, target: str, status: str, names: Names, canary: Server
) -> None:
    names.add("localhost", [INSIDE])
    with (
        serving(redirecting(lambda _: target.format(port=canary.port), status)) as server,
        pytest.raises(OutboundRefused),
    ):
        ask(mode, f"http://{SITE}:{server.port}/", names=names, redirects=5)
    assert canary.connections == 0


def test_redirects_come_to_an_end(mode: Mode, names: Names) -> None:
    with serving(redirecting(lambda _: "/again")) as server:
        with pytest.raises(httpx2.TooManyRedirects):
            ask(mode, f"http://{SITE}:{server.port}/", names=names, redirects=3)
        assert len(server.requests) == 4


def test_secrets_stay_with_the_server_they_were_meant_for(mode: Mode, names: Names) -> None:
    secrets = {"Authorization": "Bearer ada", "X-Api-Key": "ada", "Cookie": "a=1", "Accept": "text/x"}
    with serving(answering()) as other, serving(redirecting(lambda _: f"http://{OTHER}:{other.port}/")) as server:
        ask(mode, f"http://{SITE}:{server.port}/", names=names, redirects=1, headers=secrets)
        sent = [header(server.requests[0], name) for name in secrets]
        kept = [header(other.requests[0], name) for name in secrets]
    assert sent == list(secrets.values())
    assert kept == [None, None, None, "text/x"]


def test_secrets_follow_a_redirect_within_the_server(mode: Mode, names: Names) -> None:
    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        inner = answering() if head.startswith(b"GET /there") else redirecting(lambda _: "/there")
        inner(connection, head, server)

    with serving(script) as server:
        ask(mode, f"http://{SITE}:{server.port}/", names=names, redirects=1, headers={"X-Api-Key": "ada"})
        assert [header(request, "x-api-key") for request in server.requests] == ["ada", "ada"]


@pytest.mark.parametrize("status", ["307 Temporary", "308 Permanent"])
@pytest.mark.parametrize("method", ["POST", "PUT", "GET"])
def test_what_was_sent_to_one_server_is_not_sent_on_to_another(
    mode: Mode, method: str, status: str, names: Names
) -> None:
    secret = {"client_secret": "ada"}
    with (
        serving(answering()) as other,
        serving(redirecting(lambda _: f"http://{OTHER}:{other.port}/", status)) as server,
    ):
        with pytest.raises(OutboundRefused, match="not followed"):
            ask(mode, f"http://{SITE}:{server.port}/", method=method, names=names, redirects=3, data=secret)
        assert other.requests == []


def test_what_began_encrypted_does_not_go_on_in_the_clear(mode: Mode, names: Names, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with (
        serving(answering()) as clear,
        serving(
            redirecting(lambda _: f"http://{SITE}:{clear.port}/"), tls=authority.server_context(SITE, [])
        ) as server,
    ):
        with pytest.raises(OutboundRefused, match="https:// to http://"):
            ask(
                mode,
                f"https://{SITE}:{server.port}/",
                names=names,
                redirects=3,
                tls=authority.client_context(),
            )
        assert clear.connections == 0


def test_why_a_request_was_refused_is_in_the_log_and_not_in_the_error(
    mode: Mode, canary: Server, caplog: pytest.LogCaptureFixture
) -> None:
    names = Names()
    names.add("wiki.attacker.net", [INSIDE])
    with caplog.at_level(logging.WARNING), pytest.raises(OutboundRefused) as refused:
        ask(mode, f"http://wiki.attacker.net:{canary.port}/?token=secret", names=names)
    assert INSIDE not in str(refused.value)
    assert "'wiki.attacker.net': 127.0.0.1 is not public" in caplog.text
    assert "secret" not in caplog.text


def test_a_request_that_was_refused_can_be_caught_as_any_failed_request(names: Names) -> None:
    with pytest.raises(httpx2.HTTPError):
        ask("sync", f"http://{INSIDE}/", names=names)
