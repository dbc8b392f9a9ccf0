"""Clients that are known by the address of a document about them, which is fetched and not trusted."""

import gzip
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from mcp_gateway.models import Application
from mcp_gateway.oauth import client_documents
from security import outbound
from security.outbound import Policy
from security.throttle import Limit
from tests.mcp_gateway.oauth.flow import REDIRECT, Flow
from tests.security.outbound import hostile
from tests.security.outbound.loopback import (
    INSIDE,
    OPENED,
    PUBLIC,
    Authority,
    Names,
    Script,
    Server,
    answering,
    redirecting,
    serving,
)

pytestmark = [pytest.mark.django_db, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])]

HOST = "editor.example.net"


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Script], Server]]:
    """Serves a script by https as `editor.example.net`, which the platform finds at a public address."""
    authority = Authority(tmp_path)
    names = Names()
    names.add(HOST, [PUBLIC])
    trusting = partial(outbound.client, resolver=names, ssl_context=authority.client_context())
    made: list[Server] = []

    def guarded(bounds: Any, *, policy: Policy) -> outbound.OutboundClient:
        return trusting(bounds, policy=Policy(opened=OPENED, plain_http=policy.plain_http))

    monkeypatch.setattr(outbound, "client", guarded)

    def start(script: Script) -> Server:
        made.append(Server(script, tls=authority.server_context(HOST, [])))
        return made[-1]

    yield start
    for server in made:
        server.close()


def document(server: Server, **changed: Any) -> tuple[str, dict[str, Any]]:
    client_id = address(server)
    stated = {"client_id": client_id, "client_name": "Editor", "redirect_uris": [REDIRECT]}
    return client_id, stated | changed


def address(server: Server) -> str:
    return f"https://{HOST}:{server.port}/client.json"


def telling(changed: dict[str, Any], *, kind: str = "application/json", **headers: str) -> Script:
    """Answers with the client's document, which names the address it is fetched from."""

    def script(connection: Any, head: bytes, server: Server) -> None:
        stated = {"client_id": address(server), "client_name": "Editor", "redirect_uris": [REDIRECT]} | changed
        answering(json.dumps(stated).encode(), content_type=kind, **headers)(connection, head, server)

    return script


def test_a_client_that_publishes_its_document_comes_in_unregistered(
    browser: Client, publish: Callable[[Script], Server]
) -> None:
    server = publish(telling({}))
    flow = Flow(browser, address(server))
    page = flow.ask().content.decode()
    assert HOST in page
    assert "nobody has checked" not in page
    assert flow.tokens()["scope"] == "read write"
    application = Application.objects.get()
    assert (application.client_id, application.registration_source) == (address(server), "cimd")


def test_a_document_is_kept_as_long_as_it_may_be_and_then_fetched_again(
    browser: Client, publish: Callable[[Script], Server]
) -> None:
    server = publish(telling({}, Cache_Control="max-age=600"))
    flow = Flow(browser, address(server))
    flow.ask()
    flow.ask()
    assert len(server.requests) == 1
    expires_at = Application.objects.get().cimd_expires_at
    assert expires_at is not None
    left = expires_at - timezone.now()
    assert 590 <= left.total_seconds() <= 600
    Application.objects.update(cimd_expires_at=timezone.now())
    flow.ask()
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "https://editor.example.net/other.json"},
        {"redirect_uris": []},
        {"redirect_uris": ["http://editor.example.net/cb"]},
        {"grant_types": ["client_credentials"]},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"client_secret": "x"},
        {"client_name": "N" * 101},
        {"client_name": "x" * 20_000},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_document_that_says_too_much_lets_nobody_in(
    browser: Client, publish: Callable[[Script], Server], changed: dict[str, Any]
) -> None:
    server = publish(telling(changed))
    assert Flow(browser, address(server)).ask().status_code == 400
    assert len(server.requests) == 1
    assert not Application.objects.exists()


def test_a_document_that_is_not_json_lets_nobody_in(browser: Client, publish: Callable[[Script], Server]) -> None:
    assert Flow(browser, address(publish(telling({}, kind="text/html")))).ask().status_code == 400


@pytest.mark.parametrize("blanks", [0, 20_000_000], ids=["small", "bomb"])
def test_a_document_is_unpacked_as_far_as_one_may_be_long(
    browser: Client, publish: Callable[[Script], Server], blanks: int
) -> None:
    def script(connection: Any, head: bytes, server: Server) -> None:
        stated = {"client_id": address(server), "client_name": "Editor", "redirect_uris": [REDIRECT]}
        packed = gzip.compress(json.dumps(stated).encode() + b" " * blanks)
        answering(packed, Content_Type="application/json", Content_Encoding="gzip")(connection, head, server)

    assert Flow(browser, address(publish(script))).ask().status_code == (400 if blanks else 200)


def test_a_document_is_not_followed_elsewhere(browser: Client, publish: Callable[[Script], Server]) -> None:
    with serving(answering(b"{}"), host=INSIDE) as canary:
        server = publish(redirecting(lambda head: f"http://{INSIDE}:{canary.port}/"))
        assert Flow(browser, address(server)).ask().status_code == 400
        assert canary.connections == 0


def test_a_failure_is_not_tried_again_at_once(browser: Client, publish: Callable[[Script], Server]) -> None:
    server = publish(answering(b"", status="500 Oops"))
    for _ in range(3):
        Flow(browser, address(server)).ask()
    assert len(server.requests) == 1


def test_documents_are_fetched_so_often_for_one_address(
    browser: Client, publish: Callable[[Script], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_documents, "FETCHES", Limit("few client documents", attempts=2, seconds=60))
    server = publish(answering(b"", status="404 No"))
    for number in range(4):
        Flow(browser, f"{address(server)}?{number}").ask()
    assert len(server.requests) == 2


def test_no_address_of_a_document_leads_inside(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_documents, "FETCHES", Limit("all of them", attempts=10_000, seconds=60))
    names = Names()
    for name, addresses in hostile.ANSWERS.items():
        names.add(name, addresses)
    monkeypatch.setattr(outbound, "client", partial(outbound.client, resolver=names))
    with serving(answering(b"{}"), host=INSIDE) as canary:
        for host in hostile.HOSTS:
            response = browser.get(Flow(browser, f"https://{host}:{canary.port}/client.json").query())
            assert response.status_code == 400, quote(host)
        assert canary.connections == 0
    assert not Application.objects.exists()
