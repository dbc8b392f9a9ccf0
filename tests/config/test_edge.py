"""What a request is known by: its address behind proxies, its scheme, its id."""

from typing import Any

import anyio
import pytest
from django.test import Client

from config.edge import Edge
from security import client_ip

PROXIES = ["10.0.0.0/8", "fd00::/8"]


def ask(peer: str, **headers: str) -> tuple[dict[str, Any], dict[bytes, bytes]]:
    """The scope that reaches the inside, and the answer's headers."""
    seen: dict[str, Any] = {}
    answered: dict[bytes, bytes] = {}

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"from-inside")]})

    async def send(message: Any) -> None:
        answered.update(message["headers"])

    scope = {
        "type": "http",
        "scheme": "http",
        "client": (peer, 1),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> Any:
        raise AssertionError("nothing here reads a body")

    anyio.run(lambda: Edge(inside, PROXIES)(scope, receive, send))
    return seen, answered


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_address_that_is_no_proxy_of_ours(
    peer: str, forwarded_for: str, expected: str
) -> None:
    scope, _ = ask(peer, x_forwarded_for=forwarded_for)
    assert scope["client"][0] == expected


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    assert client_ip.counted_as("2001:db8:1:2:3::4") == client_ip.counted_as("2001:db8:1:2::99") == "2001:db8:1:2::/64"
    assert client_ip.counted_as("2001:db8:1:3::4") != client_ip.counted_as("2001:db8:1:2::4")
    assert client_ip.counted_as("::ffff:198.51.100.1") == "198.51.100.1"


def test_the_scheme_is_believed_from_a_proxy_alone() -> None:
    assert ask("10.0.0.1", x_forwarded_proto="https")[0]["scheme"] == "https"
    scope, _ = ask("203.0.113.9", x_forwarded_proto="https")
    assert scope["scheme"] == "http"
    assert not scope["headers"]


def test_a_proxys_sane_request_id_is_kept_and_every_other_replaced() -> None:
    assert ask("10.0.0.1", x_request_id="proxy-id-0001")[1][b"x-request-id"] == b"proxy-id-0001"
    for peer, proposed in (("203.0.113.9", "stranger-0001"), ("10.0.0.1", "bad id\r\n"), ("10.0.0.1", "x" * 65)):
        given = ask(peer, x_request_id=proposed)[1][b"x-request-id"]
        assert given != proposed.encode()
        assert len(given) == 32


def test_healthz_answers_without_the_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.django_db
def test_readyz_says_what_it_found(client: Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "database": "ok", "broker": "ok"}


@pytest.mark.django_db
def test_readyz_names_a_broker_that_is_away(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from config.celery import app

    settings.BROKER_URL = "amqp://guest@127.0.0.1:1//"
    monkeypatch.setattr(app, "connection_for_write", lambda **options: _connection(settings.BROKER_URL))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "database": "ok", "broker": "down"}


def _connection(url: str) -> Any:
    from kombu import Connection

    return Connection(url, connect_timeout=1)
