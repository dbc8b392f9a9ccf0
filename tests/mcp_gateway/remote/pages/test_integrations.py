"""The list of servers: what each person is shown and offered, what a test says, examples, whose servers they are."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.remote.pages.urls import urlpatterns
from tests.factories import RemoteConnectionFactory, RemoteServerFactory, RemoteToolFactory
from tests.fakes.mcp_server import McpServer, status
from tests.mcp_gateway.remote.elsewhere import row

LIST = "/dashboard/integrations"
OF_A_SERVER = [pattern for pattern in urlpatterns if "server_id" in pattern.pattern.converters]


def card(html: str, server: RemoteServer) -> str:
    """The part of the page that is this server's."""
    return html.split(f'id="server-{server.pk}"')[1].split("</li>")[0]


def test_a_card_says_how_it_stands_for_the_person_who_looks(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    open_one = RemoteServerFactory(organization=organization, discovered_at="2026-01-01T00:00Z")
    RemoteToolFactory.create_batch(3, server=open_one)
    unconnected = RemoteServerFactory(organization=organization, oauth=True)
    RemoteConnectionFactory(server=unconnected)  # somebody else's
    broken = RemoteServerFactory(organization=organization, oauth=True)
    RemoteConnectionFactory(
        server=broken, user_id=member.user_id, status="error", error_code="invalid_grant", error="It was revoked."
    )
    off = RemoteServerFactory(organization=organization, oauth=True, enabled=False)
    html = as_member.get(LIST).text
    assert "Connected" in card(html, open_one)
    assert "3 tools" in card(html, open_one)
    assert ">Connect<" not in card(html, open_one)
    assert "Not connected" in card(html, unconnected)
    assert ">Connect<" in card(html, unconnected)
    assert "Connection error" in card(html, broken)
    assert "It was revoked." in card(html, broken)
    assert "/docs/troubleshooting-reconnect#what-to-do" in card(html, broken)
    assert ">Connect<" in card(html, broken)
    assert "Disabled" in card(html, off)
    assert ">Connect<" not in card(html, off)


def test_help_is_about_what_is_wrong_whoever_it_lies_with(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    def shown(code: str = "", **fields: str) -> str:
        server = RemoteServerFactory(organization=organization, oauth=True, **fields)
        RemoteConnectionFactory(
            server=server, user_id=member.user_id, status="error" if code else "connected", error_code=code, error=code
        )
        return card(as_member.get(LIST).text, server)

    assert "/docs/troubleshooting-reconnect#what-to-do" in shown("server_error")
    assert "/docs/troubleshooting-reconnect#why-it-happens" in shown("provider_unavailable")
    assert "/docs/troubleshooting-oauth#the-client-id-and-secret" in shown(
        "x", fault_code="invalid_client", fault="No."
    )
    assert 'role="status"></div>' in shown(test_code="timeout", test_message="Said of an earlier sign-in.")


def test_a_scope_that_a_call_was_refused_for_is_offered_to_be_asked_for(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    server = RemoteServerFactory(organization=organization, oauth=True)
    RemoteConnectionFactory(server=server, user_id=member.user_id, wanted_scope="tools:administer")
    shown = card(as_member.get(LIST).text, server)
    assert "Connected" in shown
    assert ">Connect<" in shown
    assert "#a-wider-scope-is-needed" in shown


def test_a_long_list_asks_the_database_no_more_than_a_short_one(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            as_member.get(LIST)
        return len(found)

    RemoteServerFactory(organization=organization)
    few = queries()
    for server in RemoteServerFactory.create_batch(12, organization=organization, oauth=True):
        RemoteConnectionFactory(server=server, user_id=member.user_id)
    assert queries() == few


@pytest.mark.parametrize("pattern", OF_A_SERVER, ids=[str(pattern.name) for pattern in OF_A_SERVER])
def test_another_organizations_server_is_not_there(
    as_stranger: Client, organization: Organization, pattern: URLPattern
) -> None:
    tool = RemoteToolFactory(server__organization=organization)
    ids = {"server_id": tool.server.pk, "tool_id": tool.pk}
    taken = {name: ids[name] for name in pattern.pattern.converters}
    address = reverse(f"mcp_gateway:{pattern.name}", kwargs=taken)
    sent = {"name": tool.server.name, "enabled": "0", "digest": tool.digest}
    answers = {as_stranger.get(address).status_code, as_stranger.post(address, sent).status_code}
    # Where only one of the two is taken, the other is 405; a test that is only looked at leads to the server's page.
    assert 404 in answers
    assert answers <= {302, 404, 405}
    tool.refresh_from_db()
    assert tool.enabled
    assert tool.server.enabled


def test_members_are_offered_no_more_than_they_may_do(as_member: Client, organization: Organization) -> None:
    tool = RemoteToolFactory(server__organization=organization)
    for address in (LIST, f"{LIST}/{tool.server.pk}", f"{LIST}/{tool.server.pk}/tools/{tool.pk}"):
        html = as_member.get(address).text
        for word in ("Add server", ">Edit<", ">Delete<", ">Disable<", 'role="switch"'):
            assert word not in html
    for address in (f"{LIST}/add", f"{LIST}/{tool.server.pk}/edit", f"{LIST}/{tool.server.pk}/delete"):
        assert as_member.get(address).status_code == 403
    for act in ("edit", "delete", "enable", f"tools/{tool.pk}/policy", f"tools/{tool.pk}/accept"):
        sent = {"name": tool.server.name, "enabled": "0", "digest": tool.digest}
        assert as_member.post(f"{LIST}/{tool.server.pk}/{act}", sent).status_code == 403, act
        tool.refresh_from_db()
        assert tool.enabled
        assert tool.server.enabled


def test_the_play_button_says_what_was_found_in_its_place(
    as_member: Client, organization: Organization, elsewhere: McpServer
) -> None:
    server = row(organization, elsewhere)
    answer = as_member.post(f"{LIST}/{server.pk}/test", {"back": "list"})
    assert "10 tools discovered" in card(answer.text, server)
    assert "10 tools" in card(as_member.get(LIST).text, server)
    assert "10 tools discovered" in as_member.post(f"{LIST}/{server.pk}/test").text
    assert as_member.get(f"{LIST}/{server.pk}/test")["Location"] == f"{LIST}/{server.pk}"


def test_the_play_button_says_what_went_wrong_and_where_help_is(
    as_member: Client, organization: Organization, elsewhere: McpServer
) -> None:
    server = row(organization, elsewhere)
    elsewhere.answers += [status(401)] * 4
    shown = card(as_member.post(f"{LIST}/{server.pk}/test", {"back": "list"}).text, server)
    assert "401" in shown
    assert "/docs/troubleshooting-connection#the-server-refuses-the-credentials" in shown


def test_an_example_is_added_once(as_admin: Client, organization: Organization) -> None:
    assert "Hugging Face" in as_admin.get(LIST).text
    added = as_admin.post(f"{LIST}/examples/hugging-face/add", follow=True)
    assert "Hugging Face is added" in added.text
    assert RemoteServer.objects.get(organization=organization).url == "https://hf.co/mcp"
    again = as_admin.post(f"{LIST}/examples/hugging-face/add", follow=True)
    assert "already" in again.text
    assert RemoteServer.objects.count() == 1
    assert f"{LIST}/examples/hugging-face/add" not in again.text


def test_connect_says_in_place_why_a_sign_in_cannot_begin(
    as_member: Client, organization: Organization, elsewhere: McpServer
) -> None:
    server = RemoteServerFactory(organization=organization, oauth=True, url=elsewhere.url)
    answer = as_member.post(f"{LIST}/{server.pk}/connect", {"back": "list"})
    assert "/docs/troubleshooting-oauth#the-server-does-not-say-where-to-sign-in" in card(answer.text, server)


def test_disconnect_ends_the_persons_own_connection_alone(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    server = RemoteServerFactory(organization=organization, oauth=True)
    mine, other = RemoteConnectionFactory(server=server, user_id=member.user_id), RemoteConnectionFactory(server=server)
    answer = as_member.post(f"{LIST}/{server.pk}/disconnect", {"back": "list"})
    assert answer["Location"] == LIST
    assert list(RemoteConnection.objects.filter(pk__in=[mine.pk, other.pk])) == [other]


def test_a_broken_connection_is_told_on_the_home_page_and_servers_are_jumped_to(
    as_member: Client, member: Caller, organization: Organization
) -> None:
    server = RemoteServerFactory(organization=organization, oauth=True, name="Lighthouse")
    mine = RemoteConnectionFactory(server=server, user_id=member.user_id)
    assert "needs to be reconnected" not in as_member.get("/dashboard/").text
    RemoteConnection.objects.filter(pk=mine.pk).update(status="error", error="It was revoked.")
    assert "needs to be reconnected" in as_member.get("/dashboard/").text
    assert f'href="{LIST}/{server.pk}"' in as_member.get("/dashboard/jump", {"q": "lighth"}).text
