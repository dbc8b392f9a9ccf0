"""Signing in at a provider, against one built on the SDK's own authorization classes."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer
from starlette.responses import Response

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from mcp_gateway.models import ClientMode, RemoteClient, RemoteConnection, RemoteServer, RemoteSignIn
from mcp_gateway.remote.badges import Badge
from mcp_gateway.remote.oauth.client_document import callback_url, document_url
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from mcp_gateway.remote.oauth.tokens import redeem_refresh
from mcp_gateway.remote.services import connections
from security.models import AuditEntry
from tests.factories import MembershipFactory, RemoteServerFactory, caller_for
from tests.fakes.oauth_mcp_server import METADATA, OAuthMcpServer
from tests.fakes.oauth_provider import ADMINISTER, USE
from tests.mcp_gateway.remote.oauth.conftest import CLIENT_ID, Browser, Making

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_person_connects_with_the_client_an_admin_made(
    method: str, make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, "token_endpoint_auth_methods_supported": [method]}
    server = make_server(method=method)
    connection = browser.connect(server, oauth_mcp)
    assert connection.status == RemoteConnection.Status.CONNECTED
    assert oauth_mcp.provider.access[connection.access_token].subject == "ada"
    assert connection.refresh_token in oauth_mcp.provider.refresh
    assert connection.scope == USE
    assert connection.issuer == oauth_mcp.issuer
    assert connection.expires_at is not None
    assert connection.refresh_due_at is not None
    assert timezone.now() < connection.refresh_due_at < connection.expires_at
    assert not RemoteSignIn.objects.exists()


def test_a_provider_that_does_not_say_how_it_wants_a_secret_is_shown_it_both_ways(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {
        name: value for name, value in document.items() if name != "token_endpoint_auth_methods_supported"
    }
    connection = browser.connect(make_server(method="client_secret_post"), oauth_mcp)
    assert json.loads(connection.provider)["client"]["auth_method"] == "client_secret_post"
    assert len(oauth_mcp.asked("/token")) == 2


def test_the_request_says_exactly_what_the_protocol_asks_for(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {
        **document,
        "authorization_endpoint": document["authorization_endpoint"] + "?tenant=7&redirect_uri=https://evil.example",
    }
    query = parse_qs(urlsplit(browser.start(server)).query)
    assert len(query.pop("state")[0]) >= 43
    assert len(query.pop("code_challenge")[0]) == 43
    assert query == {
        "tenant": ["7"],
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [callback_url()],
        "code_challenge_method": ["S256"],
        "resource": [oauth_mcp.url],
        "scope": [USE],
    }


def test_a_client_is_registered_once_and_used_again(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser, admin: Caller
) -> None:
    server = make_server(ClientMode.DYNAMIC)
    browser.connect(server, oauth_mcp)
    Browser(admin, "another").connect(server, oauth_mcp, "grace")
    (registered,) = oauth_mcp.asked("/register")
    assert registered.sent["redirect_uris"] == [callback_url()]
    assert registered.sent["grant_types"] == ["authorization_code", "refresh_token"]
    assert RemoteClient.objects.get().issuer == oauth_mcp.issuer


def test_after_a_sign_in_that_never_came_back_a_client_is_registered_anew(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    """The provider may have forgotten the client, and shows its error to the person alone."""
    server = make_server(ClientMode.DYNAMIC)
    browser.start(server)
    oauth_mcp.provider.clients.clear()
    assert browser.connect(server, oauth_mcp).access_token


def test_our_document_is_our_client_id_where_the_provider_takes_one(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, "client_id_metadata_document_supported": True}
    server = make_server(ClientMode.CIMD)
    query = parse_qs(urlsplit(browser.start(server)).query)
    assert query["client_id"] == [document_url()]
    assert not oauth_mcp.asked("/register")


@pytest.mark.django_db(transaction=True)
def test_a_provider_that_fetches_our_document_lets_us_in(
    live_server: LiveServer, make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser, settings: Settings
) -> None:
    settings.PUBLIC_URL = live_server.url
    oauth_mcp.altered[METADATA] = lambda document: {**document, "client_id_metadata_document_supported": True}
    connection = browser.connect(make_server(ClientMode.CIMD), oauth_mcp)
    assert oauth_mcp.provider.access[connection.access_token].client_id == document_url()


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (ClientMode.DYNAMIC, Reason.REGISTRATION_NOT_OFFERED),
        (ClientMode.CIMD, Reason.DOCUMENTS_NOT_SUPPORTED),
    ],
)
def test_what_a_provider_lacks_is_said_and_a_way_out_named(
    mode: ClientMode, reason: Reason, make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {
        name: value for name, value in document.items() if name != "registration_endpoint"
    }
    with pytest.raises(SignInFailed, match="known_credentials") as failure:
        browser.start(make_server(mode))
    assert failure.value.reason == reason


def test_two_people_are_never_mixed(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser, admin: Caller
) -> None:
    other = Browser(admin, "of another browser")
    one, two = browser.start(server), other.start(server)
    back_two, back_one = oauth_mcp.consent(two, "grace"), oauth_mcp.consent(one, "ada")
    first, second = browser.finish(back_one), other.finish(back_two)
    assert oauth_mcp.provider.access[first.access_token].subject == "ada"
    assert oauth_mcp.provider.access[second.access_token].subject == "grace"
    assert (first.user_id, second.user_id) == (browser.caller.user_id, admin.user_id)
    listed = connections.list_for(browser.caller)
    assert [connection.pk for connection in listed.rows] == [first.pk]


def test_connecting_again_replaces_the_tokens_and_ends_an_error(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    first = browser.connect(server, oauth_mcp)
    RemoteConnection.objects.update(status="error", error="Revoked.", error_code="invalid_grant", attempts=7)
    oauth_mcp.behaviour.gives_refresh_tokens = False
    again = browser.connect(server, oauth_mcp)
    assert again.pk == first.pk
    assert again.generation == first.generation + 1
    assert (again.status, again.error, again.error_code, again.attempts) == ("connected", "", "", 0)
    # The refresh token of an older grant is not this one's.
    assert again.refresh_token is None


def test_a_wider_scope_is_asked_for_in_addition(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    browser.connect(server, oauth_mcp)
    RemoteConnection.objects.update(wanted_scope=ADMINISTER)
    wider = browser.connect(server, oauth_mcp)
    assert parse_qs(urlsplit(browser.urls[-1]).query)["scope"] == [f"{USE} {ADMINISTER}"]
    assert (wider.scope, wider.wanted_scope) == (f"{USE} {ADMINISTER}", "")


def test_a_wider_scope_that_is_denied_is_not_asked_for_for_ever(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    kept = browser.connect(server, oauth_mcp)
    RemoteConnection.objects.update(wanted_scope=ADMINISTER)
    with pytest.raises(SignInFailed) as failure:
        browser.finish(oauth_mcp.consent(browser.start(server), answer="no"))
    assert failure.value.reason == Reason.DENIED
    connection = RemoteConnection.objects.get()
    assert (connection.wanted_scope, connection.generation) == ("", kept.generation)


def test_the_scopes_an_admin_set_are_asked_for_and_no_others(
    make_server: Making, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {**document, "scopes_supported": [USE, "offline_access"]}
    server = make_server(scopes=ADMINISTER)
    assert parse_qs(urlsplit(browser.start(server)).query)["scope"] == [ADMINISTER]


def test_what_was_stored_is_all_that_a_refresh_needs(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    connection = browser.connect(server, oauth_mcp)
    answer = async_to_sync(redeem_refresh)(json.loads(connection.provider), connection.refresh_token)
    assert answer.access_token in oauth_mcp.provider.access
    assert answer.refresh_token != connection.refresh_token


def test_disconnecting_deletes_the_row_and_revokes_at_the_provider(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    connection = browser.connect(server, oauth_mcp)
    ended = async_to_sync(connections.disconnect)(browser.caller, server.pk)
    assert ended.revoked
    assert not RemoteConnection.objects.exists()
    assert oauth_mcp.provider.revoked == [connection.refresh_token, connection.access_token]


def test_nobody_disconnects_somebody_else(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser, admin: Caller
) -> None:
    browser.connect(server, oauth_mcp)
    with pytest.raises(NotFound):
        async_to_sync(connections.disconnect)(admin, server.pk)
    assert RemoteConnection.objects.count() == 1


def test_a_provider_that_does_not_answer_keeps_nobody_connected(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    browser.connect(server, oauth_mcp)
    oauth_mcp.answers["/revoke"] = [Response("<h1>Bad gateway</h1>", status_code=502)]
    ended = async_to_sync(connections.disconnect)(browser.caller, server.pk)
    assert not ended.revoked
    assert not RemoteConnection.objects.exists()


def test_a_server_of_another_organization_is_not_there(browser: Browser) -> None:
    foreign = RemoteServerFactory(oauth=True)
    with pytest.raises(NotFound):
        browser.start(foreign)
    with pytest.raises(NotFound):
        async_to_sync(connections.disconnect)(browser.caller, foreign.pk)


@pytest.mark.parametrize(
    "fields", [{"enabled": False}, {"auth_type": "none", "client_mode": ""}], ids=["disabled", "open"]
)
def test_a_server_that_nobody_signs_in_to_says_so(
    fields: dict[str, object], make_server: Making, browser: Browser
) -> None:
    with pytest.raises(Conflict):
        browser.start(make_server(**fields))


def test_the_word_on_each_card_is_the_callers_own(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser, admin: Caller
) -> None:
    browser.connect(server, oauth_mcp)
    assert connections.status_of(browser.caller, [server]) == {server.pk: Badge.CONNECTED}
    assert connections.status_of(admin, [server]) == {server.pk: Badge.NOT_CONNECTED}


def test_signing_in_and_out_is_audited_without_a_secret(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    connection = browser.connect(server, oauth_mcp)
    async_to_sync(connections.disconnect)(browser.caller, server.pk)
    entries = list(AuditEntry.objects.filter(action__startswith="remote_connection.").order_by("id"))
    assert [entry.action for entry in entries] == ["remote_connection.connect", "remote_connection.disconnect"]
    assert all(connection.access_token not in str(entry.detail) for entry in entries)


def test_somebody_who_left_the_organization_does_not_finish(server: RemoteServer, oauth_mcp: OAuthMcpServer) -> None:
    membership = MembershipFactory(organization=server.organization)
    browser = Browser(caller_for(membership.user))
    back = oauth_mcp.consent(browser.start(server))
    membership.delete()
    with pytest.raises(SignInFailed):
        browser.finish(back)
    assert not RemoteConnection.objects.exists()
