"""Adding and editing a server: what is refused stands under its field, secrets go in and never come out."""

import json

import pytest
from django.test import Client

from accounts.models import Organization
from mcp_gateway.models import RemoteServer
from tests.factories import RemoteConnectionFactory, RemoteServerFactory
from tests.fakes.mcp_server import McpServer

LIST = "/dashboard/integrations"
BASIC = {"name": "Docs", "url": "https://docs.example.com/mcp", "transport": "streamable_http", "auth_type": "none"}
SECRET = "s3cret-in-clear"


def test_each_choice_is_explained_and_the_callback_can_be_copied(as_admin: Client) -> None:
    html = as_admin.get(f"{LIST}/add").text
    for words in ("Required by providers such as HubSpot", "registers itself", "legacy", "their own account"):
        assert words in html
    assert 'data-copy="http://127.0.0.1:8000/api/mcp/oauth/callback"' in html


def test_a_server_is_added_with_what_goes_with_its_choices_alone(as_admin: Client, organization: Organization) -> None:
    sent = BASIC | {"headers": "X-Left: over", "client_mode": "dynamic", "client_id": "left over", "hold_changes": "on"}
    answer = as_admin.post(f"{LIST}/add", sent)
    server = RemoteServer.objects.get(organization=organization)
    assert answer["Location"] == f"{LIST}/{server.pk}"
    assert (server.header_names, server.client_mode, server.client_id, server.hold_changes) == ([], "", "", True)


def test_headers_are_kept_replaced_and_taken_out_line_by_line(as_admin: Client, organization: Organization) -> None:
    sent = BASIC | {"auth_type": "api_key", "headers": f"Authorization: Bearer {SECRET}\nX-Team: harbour\nX-Old: 1"}
    as_admin.post(f"{LIST}/add", sent)
    server = RemoteServer.objects.get(organization=organization)
    form = as_admin.get(f"{LIST}/{server.pk}/edit").text
    assert SECRET not in form
    assert "Authorization: [REDACTED]" in form
    sent |= {"headers": "Authorization: [REDACTED]\nX-Team: quay"}
    as_admin.post(f"{LIST}/{server.pk}/edit", sent)
    server.refresh_from_db()
    assert json.loads(server.headers or "") == {"Authorization": f"Bearer {SECRET}", "X-Team": "quay"}


def test_a_client_secret_stays_unless_one_is_written(as_admin: Client, organization: Organization) -> None:
    oauth = BASIC | {"auth_type": "oauth", "client_mode": "known_credentials", "client_id": "ours", "scopes": "a b"}
    as_admin.post(f"{LIST}/add", oauth | {"client_secret": SECRET})
    server = RemoteServer.objects.get(organization=organization)
    form = as_admin.get(f"{LIST}/{server.pk}/edit").text
    assert SECRET not in form
    assert "[REDACTED]" in form
    as_admin.post(f"{LIST}/{server.pk}/edit", oauth | {"name": "Papers", "client_secret": ""})
    server = RemoteServer.objects.get(pk=server.pk)
    assert (server.name, server.client_secret) == ("Papers", SECRET)
    moved = as_admin.post(f"{LIST}/{server.pk}/edit", oauth | {"url": "https://other.example.com/mcp"}, follow=True)
    assert "client secret went with the old address" in moved.text
    assert RemoteServer.objects.get(pk=server.pk).client_secret is None


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"name": ""}, "name", "required"),
        ({"url": "ftp://docs.example.com"}, "url", "http"),
        ({"auth_type": "api_key", "headers": ""}, "headers", "Add at least one header"),
        ({"auth_type": "api_key", "headers": "no colon"}, "headers", "its name, a colon, its value"),
        ({"auth_type": "api_key", "headers": "Host: elsewhere"}, "headers", "cannot be set"),
        ({"auth_type": "oauth", "client_mode": "known_credentials"}, "client_id", "Enter the client ID"),
        ({"auth_type": "api_key", "headers": "A: " + "x" * 9000}, "headers", "8192"),
    ],
    ids=["name", "url", "no headers", "no colon", "reserved", "no client", "too long"],
)
def test_what_is_refused_stands_under_its_field_and_nothing_is_lost(
    as_admin: Client, wrong: dict[str, str], field: str, said: str
) -> None:
    answer = as_admin.post(f"{LIST}/add", BASIC | wrong)
    assert answer.status_code == 422
    errors = answer.text.split(f'id="id_{field}_error"')[1].split("</div>")[0]
    assert said in errors
    assert wrong.get("url", BASIC["url"]) in answer.text
    assert not RemoteServer.objects.exists()


def test_a_configuration_is_tested_before_it_is_saved(
    as_admin: Client, organization: Organization, elsewhere: McpServer
) -> None:
    answer = as_admin.post(f"{LIST}/add", BASIC | {"url": elsewhere.url, "act": "test"})
    assert "10 tools discovered" in answer.text
    assert not RemoteServer.objects.exists()
    server = RemoteServerFactory(organization=organization)
    changed = BASIC | {"url": elsewhere.sse_url, "transport": "sse", "act": "test"}
    assert "10 tools discovered" in as_admin.post(f"{LIST}/{server.pk}/edit", changed).text
    assert RemoteServer.objects.get().url == server.url


def test_disabling_keeps_connections_and_enabling_brings_the_server_back(
    as_admin: Client, organization: Organization
) -> None:
    connection = RemoteConnectionFactory(server__organization=organization)
    address = f"{LIST}/{connection.server.pk}"
    assert "is disabled" in as_admin.post(f"{address}/enable", {"enabled": "0"}, follow=True).text
    assert not RemoteServer.objects.get().enabled
    as_admin.post(f"{address}/enable", {"enabled": "1"})
    assert RemoteServer.objects.get().enabled
    assert RemoteServer.objects.get().connections.count() == 1


def test_a_server_is_deleted_once_its_name_is_typed(as_admin: Client, organization: Organization) -> None:
    connection = RemoteConnectionFactory(server__organization=organization, server__name="Papers")
    address = f"{LIST}/{connection.server.pk}/delete"
    assert "the connection of 1 person" in as_admin.get(address).text
    assert as_admin.post(address, {"name": "papers"}).status_code == 422
    assert as_admin.post(address, {"name": "Papers"})["Location"] == LIST
    assert not RemoteServer.objects.exists()
