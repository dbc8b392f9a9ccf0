"""`/api/mcp`: servers and connections over REST, with the secrets in none of its answers, errors, entries and logs."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.http import HttpResponse

from accounts.models import Organization, Role, User
from accounts.scopes import Scope
from mcp_gateway.models import KeptAnswer, RemoteConnection, RemoteServer, RemoteTool
from mcp_gateway.remote.services.configuration import stored_headers
from mcp_gateway.rest.document import document
from mcp_gateway.rest.routes import api, remote_api
from security.models import AuditEntry
from tests.agents_hub.api.door import Rest, fault, read, rest
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory
from tests.fakes.mcp_server import McpServer, mcp_server, status
from tests.mcp_gateway.remote.elsewhere import row

pytestmark = pytest.mark.usefixtures("in_this_thread")
# Like nothing that is known by its look.
HEADER, CLIENT, TOKEN = "quiet-harbour-header", "quiet-harbour-client", "quiet-harbour-token"


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server() as server:
        yield server


@pytest.fixture
def fake(served: McpServer) -> McpServer:
    served.forget()
    return served


@pytest.fixture
def boss(organization: Organization) -> Rest:
    person = MembershipFactory(organization=organization, role=Role.ADMIN).user
    return rest(person, Scope.ADMIN, remote_api)


@pytest.fixture
def clerk(organization: Organization) -> tuple[User, Rest]:
    person = MembershipFactory(organization=organization).user
    return person, rest(person, Scope.ADMIN, remote_api)


def settings_of(organization: Organization, **fields: Any) -> dict[str, Any]:
    return {"organizationId": str(organization.uid), "name": "Harbour", "url": "http://127.0.0.1:9/mcp"} | fields


def test_a_server_is_added_changed_and_deleted(boss: Rest, organization: Organization) -> None:
    made = read(boss.post("servers", settings_of(organization)))
    assert (made["status"], made["toolCount"], made["slug"]) == ("Not connected", 0, "harbour")
    where = f"servers/{made['id']}"
    assert read(boss.ask("PATCH", where, {"enabled": False}))["status"] == "Disabled"
    assert [one["id"] for one in read(boss.get("servers?searchName=harb"))["items"]] == [made["id"]]
    assert boss.ask("DELETE", where).status_code == 204
    assert boss.get(where).status_code == 404


def test_members_see_and_test_and_admins_change(
    boss: Rest, clerk: tuple[User, Rest], organization: Organization, fake: McpServer
) -> None:
    server = row(organization, fake)
    _, api = clerk
    assert read(api.post(f"servers/{server.pk}/test"))["ok"]
    tools = read(api.get(f"servers/{server.pk}/tools?pageSize=100"))["items"]
    echo = next(tool for tool in tools if tool["name"] == "echo")
    called = read(api.post(f"servers/{server.pk}/tools/{echo['id']}/call", {"arguments": {"text": "hello"}}))
    assert (called["content"][0]["text"], called["isError"]) == ("hello", False)
    assert read(api.get(f"servers/{server.pk}/health"))["day"]["calls"] == 1
    assert read(api.get(f"servers/{server.pk}/calls"))["items"][0]["tool"] == "echo"
    refused = [
        api.post("servers", settings_of(organization)),
        api.post("servers/test", settings_of(organization)),
        api.post("catalogue", {"organizationId": str(organization.uid), "slug": "hugging-face"}),
        api.ask("PATCH", f"servers/{server.pk}", {"name": "Mine"}),
        api.ask("PATCH", f"servers/{server.pk}/tools/{echo['id']}", {"enabled": False}),
        api.post(f"servers/{server.pk}/tools/{echo['id']}/accept", {"digest": echo["digest"]}),
        api.ask("DELETE", f"servers/{server.pk}"),
    ]
    assert [fault(answer)[0] for answer in refused] == [403] * len(refused)
    assert all("Only an admin of Lantern" in fault(answer)[1] for answer in refused)
    tool = read(boss.ask("PATCH", f"servers/{server.pk}/tools/{echo['id']}", {"askFirst": True}))
    assert (tool["enabled"], tool["askFirst"]) == (True, True)
    where = f"servers/{server.pk}/tools/{echo['id']}/call"
    assert fault(api.post(where, {"arguments": {"text": "a"}}))[0] == 409
    assert api.post(where, {"arguments": {"text": "a"}, "confirmed": True}).status_code == 200
    boss.ask("PATCH", f"servers/{server.pk}/tools/{echo['id']}", {"enabled": False})
    assert fault(api.post(where, {"arguments": {"text": "a"}, "confirmed": True}))[0] == 409


def test_a_key_that_writes_does_not_administer(boss: Rest, organization: Organization) -> None:
    person = organization.memberships.get(role=Role.ADMIN).user
    narrow = rest(person, Scope.WRITE, remote_api)
    code, message = fault(narrow.post("servers", settings_of(organization)))
    assert (code, "scope admin" in message) == (403, True)


def test_a_server_that_does_not_answer_is_what_the_test_found(boss: Rest, organization: Organization) -> None:
    found = read(boss.post("servers/test", settings_of(organization)))
    assert (found["ok"], found["code"]) == (False, "unreachable")
    assert fault(boss.post("servers/test", settings_of(organization, url="ftp://a.example")))[0] == 400


@pytest.mark.parametrize("path", ["servers/test", "servers/{}/test", "servers/{}/tools/1/call"])
def test_an_idempotency_key_is_refused_where_no_answer_is_kept(
    boss: Rest, organization: Organization, path: str
) -> None:
    server = RemoteServerFactory(organization=organization)
    body = settings_of(organization) if path == "servers/test" else None
    code, message = fault(boss.post(path.format(server.pk), body, idempotency_key="once"))
    assert (code, "Idempotency-Key" in message) == (400, True)


def test_two_requests_that_differ_in_their_secret_are_not_the_same(boss: Rest, organization: Organization) -> None:
    sent = settings_of(organization, authType="api_key")
    first = boss.post("servers", sent | {"headers": {"X-Key": HEADER}}, idempotency_key="once")
    again = boss.post("servers", sent | {"headers": {"X-Key": HEADER}}, idempotency_key="once")
    other = boss.post("servers", sent | {"headers": {"X-Key": "another"}}, idempotency_key="once")
    assert (first.status_code, again.content, other.status_code) == (200, first.content, 409)
    assert HEADER not in (KeptAnswer.objects.get().body or "")


def test_connections_are_ones_own(clerk: tuple[User, Rest], boss: Rest, organization: Organization) -> None:
    person, api = clerk
    mine = RemoteConnectionFactory(server__organization=organization, user=person)
    assert [one["serverId"] for one in read(api.get("connections"))["items"]] == [mine.server.pk]
    assert read(boss.get("connections"))["items"] == []
    assert fault(boss.ask("DELETE", f"connections/{mine.server.pk}"))[0] == 404
    shown = read(api.get(f"servers/{mine.server.pk}"))
    assert (shown["status"], shown["connectUrl"].endswith(f"/{mine.server.pk}")) == ("Connected", True)
    assert read(boss.get(f"servers/{mine.server.pk}"))["status"] == "Not connected"
    assert api.ask("DELETE", f"connections/{mine.server.pk}").status_code == 200
    assert not RemoteConnection.objects.exists()


def test_the_catalogue_is_added_with_one_request(boss: Rest, organization: Organization) -> None:
    where = {"organizationId": str(organization.uid)}
    listed = read(boss.get(f"catalogue?organizationId={organization.uid}"))["items"]
    assert [(one["name"], one["url"], one["transport"], one["authType"]) for one in listed] == [
        ("Hugging Face", "https://hf.co/mcp", "streamable_http", "none"),
        ("Cloudflare Docs", "https://docs.mcp.cloudflare.com/sse", "sse", "none"),
    ]
    assert read(boss.post("catalogue", where | {"slug": "hugging-face"}))["url"] == "https://hf.co/mcp"
    left = read(boss.get(f"catalogue?organizationId={organization.uid}"))["items"]
    assert [one["slug"] for one in left] == ["cloudflare-docs"]
    assert fault(boss.post("catalogue", where | {"slug": "unheard-of"}))[0] == 404


def test_secrets_are_in_no_answer_error_entry_or_log(
    boss: Rest, clerk: tuple[User, Rest], organization: Organization, fake: McpServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    person, api = clerk
    key = {"authType": "api_key", "headers": {"Authorization": HEADER, "X-Custom": HEADER}, "url": fake.url}
    app = {"authType": "oauth", "clientId": "app", "clientSecret": CLIENT, "name": "Second"}
    keyed = read(boss.post("servers", settings_of(organization, **key)))["id"]
    signed = read(boss.post("servers", settings_of(organization, **app)))["id"]
    assert stored_headers(RemoteServer.objects.get(pk=keyed)) == key["headers"]
    RemoteConnectionFactory(server_id=signed, user=person, access_token=TOKEN, refresh_token=TOKEN, provider=None)
    api.post(f"servers/{keyed}/test")
    tool = RemoteTool.objects.get(server=keyed, name="echo")
    fake.answers.extend([status(500, f"Bad key {HEADER}")] * 2)
    answers: list[HttpResponse] = [
        api.post(f"servers/{keyed}/test"),
        api.post(f"servers/{keyed}/tools/{tool.pk}/call", {"arguments": {"text": "a"}}),
        api.post(f"servers/{signed}/test"),
        boss.post("servers/test", settings_of(organization, serverId=keyed, **key)),
        boss.post("servers/test", settings_of(organization, serverId=signed, **app)),
        # A name that is taken, a header that cannot be, a field that is not known, a secret that is too long.
        boss.post("servers", settings_of(organization, **key)),
        boss.ask("PATCH", f"servers/{keyed}", {"headers": {"Bad Name": HEADER}}),
        boss.ask("PATCH", f"servers/{keyed}", {"headers": {"X-Custom": f"{HEADER}\r\nHost: a"}}),
        boss.ask("PATCH", f"servers/{keyed}", {"password": HEADER, "clientSecret": CLIENT}),
        boss.ask("PATCH", f"servers/{keyed}", {"clientSecret": CLIENT * 1000}),
        boss.ask("PATCH", f"servers/{keyed}", {"headers": [HEADER]}),
        boss.ask("PATCH", f"servers/{keyed}", {"headers": {"X-Custom": {"deep": HEADER}}}),
        boss.ask("PATCH", f"servers/{signed}", {"clientSecret": CLIENT, "headers": {"X-Key": HEADER}}),
        boss.ask("PATCH", f"servers/{keyed}", {"url": "https://elsewhere.example/mcp"}),
        *(one.get(path) for one in (api, boss) for path in _reads(keyed, signed)),
    ]
    for answer in answers:
        _holds_none(answer.content.decode(), answer.status_code)
    for entry in AuditEntry.objects.all():
        _holds_none(json.dumps(entry.detail) + entry.target + entry.tool, entry.action)
    for record in caplog.records:
        if not record.name.startswith("django.db.backends"):
            _holds_none(record.getMessage() + str(record.exc_info), record.name)
    with database.cursor() as cursor:
        for table in ("remoteserver", "remoteconnection", "remotetool", "remotecall"):
            cursor.execute(f"SELECT row::text FROM mcp_gateway_{table} row")
            _holds_none(str(cursor.fetchall()), table)


def _reads(*ids: int) -> list[str]:
    parts = ("", "/tools", "/calls", "/health")
    return ["servers", "connections", *(f"servers/{pk}{part}" for pk in ids for part in parts)]


def _holds_none(text: str, where: object) -> None:
    found = [secret for secret in (HEADER, CLIENT, TOKEN) if secret in text or secret.encode().hex() in text]
    assert not found, f"{where}: {text[:500]}"


def test_each_api_has_a_document_of_its_own() -> None:
    for one in (api, remote_api):
        described = json.loads(document(one))
        assert all(path.startswith(f"/{one.base}") for path in described["paths"])
        assert described["info"]["title"].endswith(one.title)
    assert "/api/mcp/servers/{serverId}" in json.loads(document(remote_api))["paths"]
