"""A client that publishes a document about itself signs in unregistered: the kit's client, and a real browser."""

import json
import queue
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from mcp_gateway.models import Application, Connection
from security.models import AuditEntry
from tests.browser.sign_in.clients import SECONDS, KitsClient, listening, sign_in_and_agree
from tests.mcp_gateway.oauth.running import Platform
from tests.security.outbound.loopback import Authority, Server, answering, serving

HOST = "localhost"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def environment(authority: Authority, tmp_path: Path) -> dict[str, str]:
    """The operator opened this machine to documents, and trusts the authority that vouches for its name."""
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority.pem)
    return {"OUTBOUND_ALLOW_NETWORKS": "127.0.0.0/8,::1/128", "SSL_CERT_FILE": str(trusted)}


@pytest.fixture
def callback() -> Iterator[tuple[str, "queue.Queue[str]"]]:
    with listening() as listened:
        yield listened


@pytest.fixture
def publisher(authority: Authority, callback: tuple[str, "queue.Queue[str]"]) -> Iterator[Server]:
    """Serves the client's document, which names the address it is fetched from, by https."""

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        stated = {"client_id": address(server), "client_name": "The kit, published", "redirect_uris": [callback[0]]}
        answering(json.dumps(stated).encode(), content_type="application/json")(connection, head, server)

    with serving(script, host="127.0.0.1", tls=authority.server_context(HOST, [])) as server:
        yield server


def address(server: Server) -> str:
    return f"https://{HOST}:{server.port}/client.json"


@pytest.mark.faults
def test_the_kits_client_signs_in_by_its_document_and_registers_nothing(
    served: Platform, person: User, page: Page, publisher: Server, callback: tuple[str, "queue.Queue[str]"]
) -> None:
    client = KitsClient(served.mcp, *callback, document=address(publisher))
    client.start()
    sign_in_and_agree(page, client.wants_visited.get(timeout=SECONDS), person)
    expect(page.get_by_role("heading", level=1)).to_have_text("Back at the client")
    client.join(SECONDS)
    assert client.failure is None
    assert client.context["email"] == person.email
    application = Application.objects.get()
    assert (application.client_id, application.registration_source) == (address(publisher), "cimd")
    assert application.proven_host == HOST
    assert Connection.objects.get().application == application
    assert AuditEntry.objects.get(action="oauth.grant").application_id == application.pk
    assert not AuditEntry.objects.filter(action="oauth.register").exists()
    assert len(publisher.requests) == 1
