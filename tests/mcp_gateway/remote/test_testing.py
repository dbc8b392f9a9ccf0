"""The play button: what a test of a saved server finds is kept, and settings can be tried before they are saved."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import Forbidden, Invalid, NotFound, Throttled
from accounts.models import Organization
from mcp_gateway.models import AuthType, RemoteConnection, RemoteServer, RemoteTool
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import probe as probes
from mcp_gateway.remote import refresh
from mcp_gateway.remote.badges import Badge, badge
from mcp_gateway.remote.probe import Report
from mcp_gateway.remote.problems import Code
from mcp_gateway.remote.services import testing
from mcp_gateway.remote.shapes import ServerDraft
from mcp_gateway.remote.targets import Credential
from security.models import AuditEntry
from security.throttle import Limit
from tests.factories import RemoteConnectionFactory, RemoteServerFactory
from tests.fakes.mcp_server import McpServer, mcp_server, status
from tests.mcp_gateway.remote.elsewhere import row
from tests.mcp_gateway.remote.test_servers import create

pytestmark = pytest.mark.usefixtures("in_this_thread")


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server() as server:
        yield server


@pytest.fixture
def fake(served: McpServer) -> McpServer:
    served.forget()
    return served


def press_play(caller: Caller, server: RemoteServer) -> Report:
    return async_to_sync(testing.test_server)(caller, server_id=server.pk)


def try_out(caller: Caller, organization: Organization, **fields: Any) -> Report:
    draft = ServerDraft(organization_id=organization.uid, **fields)
    return async_to_sync(testing.test_configuration)(caller, draft=draft)


def test_everybody_may_test_and_what_is_found_is_kept(
    organization: Organization, member: Caller, fake: McpServer
) -> None:
    server = row(organization, fake, enabled=False)
    report = press_play(member, server)
    count = RemoteTool.objects.filter(server=server).count()
    assert (report.ok, report.message) == (True, f"{count} tools discovered")
    server.refresh_from_db()
    assert (server.test_code, server.test_message, server.tested_at is not None) == ("", report.message, True)
    entry = AuditEntry.objects.get(action="remote_server.test")
    assert (entry.user_id, entry.target, entry.outcome) == (member.user_id, f"remote_server:{server.pk}", "ok")


def test_what_went_wrong_is_kept_until_it_works(organization: Organization, member: Caller, fake: McpServer) -> None:
    server = row(organization, fake)
    fake.answers.extend([status(401)] * 3)
    report = press_play(member, server)
    server.refresh_from_db()
    assert (report.code, server.test_code, badge(server, None)) == (
        Code.UNAUTHORIZED, "unauthorized", Badge.CONNECTION_ERROR,
    )  # fmt: skip
    fake.answers.clear()
    press_play(member, server)
    server.refresh_from_db()
    assert (server.test_code, badge(server, None)) == ("", Badge.CONNECTED)


def test_the_organizations_key_is_sent(admin: Caller, organization: Organization, fake: McpServer) -> None:
    server = create(admin, organization, url=fake.url, auth_type="api_key", headers={"X-Key": "sesame"})
    assert press_play(admin, server).ok
    assert {one.headers.get("x-key") for one in fake.seen} == {"sesame"}


def test_one_persons_refused_sign_in_is_nobody_elses_trouble(
    organization: Organization, member: Caller, fake: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = row(organization, fake)
    RemoteServer.objects.filter(pk=server.pk).update(auth_type=AuthType.OAUTH, client_mode="dynamic")
    assert press_play(member, server).code == Code.NOT_CONNECTED
    mine: RemoteConnection = RemoteConnectionFactory(server=server, user_id=member.user_id, generation=4)
    asked: list[tuple[int, int]] = []

    async def renew(connection_id: int, rejected_generation: int) -> Credential:
        asked.append((connection_id, rejected_generation))
        return Credential(f"connection:{connection_id}:5", {"Authorization": "Bearer renewed"}, connection_id, 5)

    monkeypatch.setattr(refresh, "renew", renew)
    fake.answers.extend([status(401)] * 10)
    assert press_play(member, server).code == Code.UNAUTHORIZED
    assert asked == [(mine.pk, 4)]
    server.refresh_from_db()
    assert (server.tested_at, server.test_code) == (None, "")
    fake.answers.clear()
    fake.seen.clear()
    assert press_play(member, server).ok
    assert {one.headers["authorization"] for one in fake.seen} == {f"Bearer {mine.access_token}"}


def test_a_test_that_ends_after_an_edit_says_nothing_about_the_new_settings(
    organization: Organization, member: Caller, fake: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = row(organization, fake)
    real = probes.probe

    async def probe(target: Any) -> Report:
        report = await real(target)
        await in_domain(lambda: RemoteServer.objects.filter(pk=server.pk).update(revision=2))
        return report

    monkeypatch.setattr(testing, "probe", probe)
    assert press_play(member, server).ok
    server.refresh_from_db()
    assert server.tested_at is None
    assert not RemoteTool.objects.exists()


def test_settings_are_tried_by_admins_and_nothing_is_kept(
    admin: Caller, member: Caller, stranger: Caller, organization: Organization, fake: McpServer
) -> None:
    sent = {"url": fake.url, "auth_type": "api_key", "headers": {"X-Key": "sesame"}}
    for caller, refusal in ((member, Forbidden), (stranger, NotFound)):
        with pytest.raises(refusal):
            try_out(caller, organization, **sent)
    assert fake.seen == []
    assert try_out(admin, organization, **sent).ok
    assert fake.seen[0].headers["x-key"] == "sesame"
    assert not RemoteServer.objects.exists()
    entry = AuditEntry.objects.get(action="remote_server.test_unsaved")
    assert "sesame" not in str(entry.detail)


def test_a_stored_secret_goes_along_with_changes_to_the_same_server_alone(
    admin: Caller, organization: Organization, fake: McpServer
) -> None:
    kept = {"X-Key": "[REDACTED]"}
    server = create(admin, organization, url=fake.url, auth_type="api_key", headers={"X-Key": "sesame"})
    assert try_out(admin, organization, server_id=server.pk, url=fake.url, headers=kept).ok
    assert fake.seen[-1].headers["x-key"] == "sesame"
    fake.seen.clear()
    elsewhere = fake.url.replace("127.0.0.1", "localhost")
    try_out(admin, organization, server_id=server.pk, url=elsewhere, headers=kept)
    assert all("x-key" not in one.headers for one in fake.seen)
    foreign = RemoteServerFactory(url=fake.url, auth_type=AuthType.API_KEY)
    with pytest.raises(NotFound):
        try_out(admin, organization, server_id=foreign.pk, url=fake.url, headers=kept)
    server.refresh_from_db()
    assert (server.url, server.revision) == (fake.url, 1)


def test_a_sign_in_asked_for_is_what_a_server_with_oauth_should_answer(
    admin: Caller, organization: Organization, fake: McpServer
) -> None:
    fake.answers.extend([status(401)] * 10)
    report = try_out(admin, organization, url=fake.url, auth_type="oauth", client_mode="dynamic")
    assert (report.ok, report.code) == (False, Code.NOT_CONNECTED)


def test_an_address_inside_is_refused_before_anything_is_asked(
    admin: Caller, organization: Organization, fake: McpServer, settings: Settings
) -> None:
    server = row(organization, fake)
    settings.OUTBOUND_ALLOW_LOCAL = False
    with pytest.raises(Invalid):
        try_out(admin, organization, url=fake.url)
    assert press_play(admin, server).code == Code.REFUSED_ADDRESS
    assert fake.seen == []


def test_nobody_tests_without_pause(
    organization: Organization, member: Caller, fake: McpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(testing, "PACE", Limit("a test's pace", 1, 600))
    server = row(organization, fake)
    press_play(member, server)
    with pytest.raises(Throttled):
        press_play(member, server)
