"""A person's connection to a server of somebody else's, from the first Connect to the last, in a real browser."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from pytest_django import Settings

from accounts.models import Role, User
from config.celery import app
from mcp_gateway import offload, tasks
from mcp_gateway.models import AuthType, ClientMode, RemoteConnection, RemoteServer
from tests.browser.conftest import sign_in
from tests.factories import MembershipFactory, RemoteConnectionFactory, RemoteServerFactory, RemoteToolFactory
from tests.fakes.oauth_mcp_server import OAuthMcpServer, oauth_mcp

__all__ = ["oauth_mcp"]

ADD = {"name": "add", "inputSchema": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}}


@pytest.fixture
def platform(live_server: Any, settings: Settings) -> Iterator[str]:
    """Where the platform is; it may reach loopback, and its tasks run where they are called."""
    settings.PUBLIC_URL = live_server.url
    settings.OUTBOUND_ALLOW_LOCAL = True
    eager, app.conf.task_always_eager = app.conf.task_always_eager, True
    yield live_server.url
    app.conf.task_always_eager = eager
    offload.close()


@pytest.fixture
def person(transactional_db: None) -> User:
    member: User = MembershipFactory(organization__name="Harbour Lights", role=Role.MEMBER).user
    return member


@pytest.fixture
def server(person: User, platform: str, oauth_mcp: OAuthMcpServer) -> RemoteServer:
    """A server that an admin has added with an app made at the provider."""
    oauth_mcp.know_client("by-hand", "a secret", f"{platform}/api/mcp/oauth/callback", method="client_secret_basic")
    made: RemoteServer = RemoteServerFactory(
        organization=person.organizations.get(),
        name="Lighthouse",
        url=oauth_mcp.url,
        auth_type=AuthType.OAUTH,
        client_mode=ClientMode.KNOWN_CREDENTIALS,
        client_id="by-hand",
        client_secret="a secret",
    )
    return made


def connect(page: Page, oauth_mcp: OAuthMcpServer, answer: str = "Approve") -> None:
    """Press Connect on the card, and answer at the provider."""
    page.get_by_role("button", name="Connect Lighthouse", exact=True).click()
    page.wait_for_url(re.compile(re.escape(oauth_mcp.issuer)))
    page.get_by_role("button", name=answer).click()
    page.wait_for_url(re.compile("/dashboard/integrations"))


def in_background(task: Callable[[], None]) -> None:
    """In a thread of its own, as a worker: in this one Playwright keeps a loop running."""

    def work() -> None:
        try:
            task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as worker:
        worker.submit(work).result()


def test_a_connection_is_made_kept_lost_and_made_again(
    page: Page, platform: str, person: User, server: RemoteServer, oauth_mcp: OAuthMcpServer
) -> None:
    sign_in(page.context, person, platform)
    page.goto(f"{platform}/dashboard/integrations")
    card = page.locator(f"#server-{server.pk}")
    expect(card).to_contain_text("Not connected")

    connect(page, oauth_mcp, "Deny")
    expect(page.get_by_role("alert").or_(page.locator(".messages"))).to_contain_text("What to do")
    expect(card).to_contain_text("Not connected")

    connect(page, oauth_mcp)
    expect(page.locator(".messages")).to_contain_text("Connected to Lighthouse")
    expect(card.locator("h3")).to_contain_text("Connected")
    expect(card.get_by_role("button", name="Connect Lighthouse", exact=True)).to_have_count(0)
    card.get_by_role("button", name="Test Lighthouse").click()
    expect(card).to_contain_text("3 tools discovered")

    # Its token ends, and the clock comes round: nobody has to do anything.
    mine = RemoteConnection.objects.get(server=server, user=person)
    oauth_mcp.expire_access_tokens()
    _let_end(mine)
    in_background(tasks.refresh_due_connections)
    renewed = RemoteConnection.objects.get(pk=mine.pk)
    assert renewed.generation == mine.generation + 1
    assert renewed.access_token != mine.access_token
    page.get_by_role("link", name="Lighthouse").click()
    page.get_by_role("link", name="whoami").click()
    page.get_by_role("button", name="Run whoami").click()
    expect(page.get_by_role("status", name="Result")).to_contain_text("ada with tools:use")

    # The person takes the access back at the provider, and the next renewal finds out.
    oauth_mcp.revoke("ada")
    _let_end(renewed)
    in_background(tasks.refresh_due_connections)
    in_background(tasks.tell_owners)
    assert [(sent.to, "Lighthouse" in sent.body) for sent in mail.outbox] == [([person.email], True)]
    page.goto(f"{platform}/dashboard/integrations")
    expect(card.locator("h3")).to_contain_text("Connection error")
    expect(card.get_by_role("link", name="What to do")).to_have_attribute(
        "href", re.compile("troubleshooting-reconnect")
    )
    page.goto(f"{platform}/dashboard/")
    expect(page.get_by_role("main")).to_contain_text("needs to be reconnected")

    page.get_by_role("link", name="Integrations").click()
    connect(page, oauth_mcp)
    expect(card.locator("h3")).to_contain_text("Connected")
    expect(card).not_to_contain_text("Connection error")

    card.get_by_role("button", name="Disconnect Lighthouse").click()
    expect(card.locator("h3")).to_contain_text("Not connected")
    assert not RemoteConnection.objects.filter(pk=mine.pk).exists()
    assert oauth_mcp.provider.revoked


def test_what_is_pressed_and_does_not_work_says_so(
    chromium: Browser, platform: str, person: User, server: RemoteServer
) -> None:
    context = chromium.new_context()  # of its own: the browser complains in the console of what fails here
    sign_in(context, person, platform)
    page = context.new_page()
    tool = RemoteToolFactory(server=server, definition=ADD)
    RemoteConnectionFactory(server=server, user=person)
    page.goto(f"{platform}/dashboard/integrations/{server.pk}/tools/{tool.pk}")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_label("a", exact=True)).to_be_focused()
    expect(page.locator("#try .errors")).to_have_count(1)

    page.goto(f"{platform}/dashboard/integrations")
    play = page.get_by_role("button", name="Test Lighthouse")
    page.route("**/test", lambda route: route.abort())
    play.click()
    expect(page.get_by_role("alert")).to_have_text("The platform did not answer. Try again in a moment.")
    page.unroute("**/test")
    context.clear_cookies(name="sessionid")
    play.click()
    page.wait_for_url(re.compile(r"/sign-in\?next=/dashboard/integrations$"))
    context.close()


def test_all_of_it_works_without_scripts(
    chromium: Browser, platform: str, person: User, server: RemoteServer, oauth_mcp: OAuthMcpServer
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    sign_in(context, person, platform)
    page = context.new_page()
    page.goto(f"{platform}/dashboard/integrations")
    card = page.locator(f"#server-{server.pk}")
    connect(page, oauth_mcp)
    expect(card.locator("h3")).to_contain_text("Connected")
    card.get_by_role("button", name="Test Lighthouse").click()
    expect(card).to_contain_text("3 tools discovered")
    card.get_by_role("link", name="Lighthouse").click()
    page.get_by_role("link", name="add", exact=True).click()
    page.get_by_label("a", exact=True).fill("2")
    page.get_by_label("b", exact=True).fill("40")
    page.get_by_role("button", name="Run add").click()
    expect(page.get_by_role("status", name="Result")).to_contain_text("42")
    context.close()


def _let_end(connection: RemoteConnection) -> None:
    """Its time is over, as after an hour."""
    past = timezone.now() - timedelta(seconds=1)
    RemoteConnection.objects.filter(pk=connection.pk).update(expires_at=past, refresh_due_at=past)
