"""What a server or a provider may say to mislead a sign-in, and what comes of it."""

from functools import partial
from typing import Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse

from accounts.errors import Unavailable
from mcp_gateway.models import ClientMode, RemoteServer
from mcp_gateway.remote.oauth.client_document import callback_url
from mcp_gateway.remote.oauth.errors import Reason
from tests.fakes.oauth_mcp_server import METADATA, RESOURCE_METADATA, OAuthMcpServer, served_oauth_mcp
from tests.mcp_gateway.remote.oauth.attempts import not_begun, refused
from tests.mcp_gateway.remote.oauth.conftest import CLIENT_SECRET, Browser, Making

pytestmark = pytest.mark.django_db


def with_member(name: str, value: object, document: dict[str, Any]) -> dict[str, Any]:
    return {**document, name: value}


def test_a_description_of_another_server_is_not_used(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    for other in ("https://evil.example/mcp", f"{oauth_mcp.issuer}/mcp2", f"{oauth_mcp.url}#part", "", 7):
        oauth_mcp.altered[RESOURCE_METADATA] = partial(with_member, "resource", other)
        assert not_begun(browser, server) == Reason.RESOURCE_MISMATCH


def test_a_description_of_another_provider_is_not_used(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, "issuer": "https://evil.example"}
    assert not_begun(browser, server) == Reason.ISSUER_MISMATCH


@pytest.mark.parametrize("methods", [None, [], ["plain"], "S512"], ids=str)
def test_a_provider_without_pkce_is_refused(
    methods: object, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, "code_challenge_methods_supported": methods}
    assert not_begun(browser, server) == Reason.NO_PKCE


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(document.cookie)//",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "//evil.example/authorize",
        "http://169.254.169.254/authorize",
        "http://user:password@127.0.0.1/authorize",
        "http://127.0.0.1\\@evil.example/",
    ],
)
@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_nobody_is_sent_to_an_address_that_is_none(
    name: str, address: str, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, name: address}
    assert not_begun(browser, server) == Reason.REFUSED_ADDRESS


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint"])
def test_a_provider_that_leaves_out_an_endpoint_is_of_no_use(
    name: str, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, name: None}
    assert not_begun(browser, server) == Reason.BAD_METADATA


def test_a_description_is_not_looked_for_on_the_inside(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    challenge = 'Bearer resource_metadata="http://169.254.169.254/latest/meta-data"'
    oauth_mcp.answers["/mcp"] = [JSONResponse({}, status_code=401, headers={"WWW-Authenticate": challenge})]
    assert not_begun(browser, server) == Reason.REFUSED_ADDRESS


def test_a_client_entered_for_one_provider_is_not_shown_to_another(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    browser.connect(server, oauth_mcp)
    with served_oauth_mcp() as attacker:
        oauth_mcp.altered[RESOURCE_METADATA] = lambda document: {**document, "authorization_servers": [attacker.issuer]}
        assert not_begun(browser, server) == Reason.PROVIDER_CHANGED
        oauth_mcp.altered[RESOURCE_METADATA] = lambda document: {
            **document,
            "authorization_servers": [attacker.issuer, oauth_mcp.issuer],
        }
        assert browser.start(server).startswith(oauth_mcp.issuer)


def test_a_client_registered_with_one_provider_is_not_shown_to_another(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    server = make_server(ClientMode.DYNAMIC)
    browser.connect(server, oauth_mcp)
    with served_oauth_mcp() as moved:
        oauth_mcp.altered[RESOURCE_METADATA] = lambda document: {**document, "authorization_servers": [moved.issuer]}
        browser.start(server)
        assert len(moved.asked("/register")) == 1
        assert moved.provider.clients.keys().isdisjoint(oauth_mcp.provider.clients)


@pytest.mark.parametrize("path", [RESOURCE_METADATA, METADATA, "/register"])
def test_a_provider_that_fails_is_not_taken_for_one_that_lacks_something(
    path: str, make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.answers[path] = [HTMLResponse("<h1>Bad gateway</h1>", status_code=502)]
    with pytest.raises(Unavailable):
        browser.start(make_server(ClientMode.DYNAMIC))


def test_an_unknown_client_is_the_servers_fault_and_not_the_persons(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    oauth_mcp.provider.clients.clear()
    assert refused(browser, back) == Reason.CLIENT_REFUSED
    server.refresh_from_db()
    assert server.fault_code == "invalid_client"
    oauth_mcp.know_client(server.client_id, CLIENT_SECRET, callback_url(), method="client_secret_basic")
    browser.connect(server, oauth_mcp)
    server.refresh_from_db()
    assert server.fault_code == ""
