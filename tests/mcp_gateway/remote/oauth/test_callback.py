"""The two addresses that providers know: where people come back to, and the document about us."""

import json

import pytest
from asgiref.sync import async_to_sync
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.oauth.client_metadata import ClientMetadata
from mcp_gateway.remote.oauth.client_document import CALLBACK_PATH, DOCUMENT_PATH
from mcp_gateway.remote.pages.browser import KEY
from mcp_gateway.remote.services import connections
from tests.fakes.oauth_mcp_server import OAuthMcpServer
from tests.mcp_gateway.remote.oauth.conftest import Browser

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client: Client, browser: Browser) -> Client:
    """The browser's session at the pages."""
    client.force_login(User.objects.get(pk=browser.caller.user_id))
    session = client.session
    session[KEY] = browser.secret
    session.save()
    return client


def said(response: object) -> list[str]:
    return [message.message for message in get_messages(response.wsgi_request)]  # type: ignore[attr-defined]


def test_who_comes_back_is_connected_and_sent_to_where_they_were(
    page: Client, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server, return_to="/dashboard/integrations/7"))
    response = page.get(CALLBACK_PATH, back)
    assert (response.status_code, response["Location"]) == (302, "/dashboard/integrations/7")
    assert "no-store" in response["Cache-Control"]
    assert said(response) == [f"Connected to {server.name}."]
    assert RemoteConnection.objects.get().user_id == browser.caller.user_id


def test_what_went_wrong_is_said_where_they_were(
    page: Client, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server, return_to="/dashboard/integrations/7"), answer="no")
    response = page.get(CALLBACK_PATH, back)
    assert response["Location"] == "/dashboard/integrations/7"
    assert said(response)[0].startswith("Access was not allowed at the provider. Connect again to allow it.")


@pytest.mark.parametrize(
    "query", [{}, {"state": "x", "code": "y"}, {"state": "\x00\ud800"}], ids=["empty", "made-up", "odd"]
)
def test_an_answer_to_nothing_leads_to_the_servers(query: dict[str, str], page: Client) -> None:
    response = page.get(CALLBACK_PATH, {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()})
    assert (response.status_code, response["Location"]) == (302, "/dashboard/integrations")
    assert said(response)[0].startswith("This sign-in is not known, or has been finished already. Connect again.")


def test_whoever_looks_before_following_uses_nothing_up(
    page: Client, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    assert page.head(CALLBACK_PATH, back).status_code == 405
    assert Client().get(CALLBACK_PATH, back)["Location"] == "/dashboard/integrations"
    assert page.get(CALLBACK_PATH, back).status_code == 302
    assert RemoteConnection.objects.exists()


def test_a_member_that_is_there_twice_counts_as_missing(
    page: Client, server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    page.get(CALLBACK_PATH, {**back, "code": [back["code"], "another"]})
    assert not RemoteConnection.objects.exists()
    assert not oauth_mcp.asked("/token")


def test_the_document_about_us_is_for_everybody_and_fits_our_own_rules(client: Client, settings: Settings) -> None:
    response = client.get(DOCUMENT_PATH)
    document = json.loads(response.content)
    assert response["Content-Type"] == "application/json"
    assert document["client_id"] == settings.PUBLIC_URL + DOCUMENT_PATH
    assert document["redirect_uris"] == [settings.PUBLIC_URL + CALLBACK_PATH]
    ClientMetadata.model_validate(document)


def test_only_the_session_that_began_can_end_it(
    server: RemoteServer, oauth_mcp: OAuthMcpServer, browser: Browser, page: Client
) -> None:
    back = oauth_mcp.consent(browser.start(server))
    page.logout()
    page.force_login(User.objects.get(pk=browser.caller.user_id))
    response = page.get(CALLBACK_PATH, back)
    assert "another browser" in said(response)[0]
    # The right one can go on.
    done = async_to_sync(connections.finish)(browser.caller, back, session_digest=browser.digest)
    assert done.connection.access_token
