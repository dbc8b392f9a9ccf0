"""A whole conversation with an agent whose server asks who one is, from connecting to denying."""

import re

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from agents_hub.models import Agent, AgentServer, ToolUse, Turn, TurnStatus
from mcp_gateway.models import AuthType, ClientMode, RemoteServer, RemoteTool
from tests.agents_hub.chat.talks import calling, remote_name
from tests.browser.chat.talking import NOT_RELOADED, ask, opened, said
from tests.factories import RemoteServerFactory
from tests.fakes.model_provider import ModelProvider, Reply
from tests.fakes.oauth_mcp_server import OAuthMcpServer, oauth_mcp

__all__ = ["oauth_mcp"]

BANNER = "Your connection needs to be reconnected before this agent can use its tools."


@pytest.fixture
def lighthouse(agent: Agent, platform: str, oauth_mcp: OAuthMcpServer) -> RemoteServer:
    """The agent's server, at which each person signs in."""
    oauth_mcp.know_client("by-hand", "a secret", f"{platform}/api/mcp/oauth/callback", method="client_secret_basic")
    server: RemoteServer = RemoteServerFactory(
        organization=agent.organization,
        name="Lighthouse",
        slug="lighthouse",
        url=oauth_mcp.url,
        auth_type=AuthType.OAUTH,
        client_mode=ClientMode.KNOWN_CREDENTIALS,
        client_id="by-hand",
        client_secret="a secret",
    )
    AgentServer.objects.create(agent=agent, server=server)
    return server


def connect(page: Page, oauth_mcp: OAuthMcpServer) -> None:
    page.get_by_role("button", name="Connect Lighthouse").click()
    page.wait_for_url(re.compile(re.escape(oauth_mcp.issuer)))
    page.get_by_role("button", name="Approve").click()
    page.wait_for_url(re.compile("/dashboard/chat/[0-9a-f-]{36}/"))


def test_a_person_connects_asks_sees_tools_work_stops_reloads_and_denies(
    page: Page,
    platform: str,
    person: User,
    agent: Agent,
    lighthouse: RemoteServer,
    oauth_mcp: OAuthMcpServer,
    model: ModelProvider,
) -> None:
    whoami = remote_name(lighthouse, "whoami")
    # Streams and forms show all of it: nothing waits for a poll.
    page.context.route("**/news?*", lambda route: route.fulfill(status=204))
    opened(page, platform, person, agent)
    expect(page.get_by_text(BANNER)).to_be_visible()
    expect(page.locator("#lacks")).to_contain_text("Lighthouse")
    page.get_by_label("Message to Keeper").fill("Who am I?")

    # There and back again: the same chat, with what was typed.
    connect(page, oauth_mcp)
    expect(page.get_by_text(BANNER)).to_have_count(0)
    expect(page.get_by_label("Message to Keeper")).to_have_value("Who am I?")

    # The call of the tool, its result, and the answer as it comes.
    page.evaluate("window.notReloaded = true")
    model.answers += [calling(whoami), Reply(pieces=("You are ", "**ada**", ", I am told."), held=True)]
    page.get_by_label("Message to Keeper").press("Enter")
    use = page.locator(".use")
    expect(use).to_contain_text("Done")
    expect(use).to_contain_text("Lighthouse")
    expect(said(page).last).to_contain_text("You are")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(page.get_by_text("I am told.")).to_have_count(0)
    use.locator("summary").first.click()
    expect(use).to_contain_text("ada with tools:use")
    model.go.set()
    expect(said(page).last.locator("strong")).to_have_text("ada")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    expect(page.locator(".message-foot").last).to_contain_text("tokens")
    expect(page.get_by_label("Message to Keeper")).to_have_value("")
    # What was unfolded stays so.
    expect(use).to_contain_text("ada with tools:use")

    # One that is stopped: what came until then is kept.
    held_again(model)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(said(page).last).to_contain_text("One")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".message").last).to_contain_text("You stopped the answer.")
    expect(said(page).last).to_contain_text("One")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert page.evaluate(NOT_RELOADED)

    # One in whose midst the page is loaded again, and looked at in a second tab.
    held_again(model)
    model.answers += [Reply(pieces=("Alpha ", "beta ", "gamma ", "delta"), held=True)]
    ask(page, "Spell")
    expect(said(page).last).to_contain_text("Alpha")
    page.reload()
    expect(said(page).last).to_contain_text("Alpha")
    second = page.context.new_page()
    second.goto(page.url)
    expect(said(second).last).to_contain_text("Alpha")
    model.go.set()
    second.bring_to_front()
    expect(said(second).last).to_have_text("Alpha beta gamma delta")
    second.close()
    expect(said(page).last).to_have_text("Alpha beta gamma delta")
    expect(page.get_by_role("button", name="Send")).to_be_visible()

    # One that is denied.
    RemoteTool.objects.filter(server=lighthouse, name="whoami").update(ask_first=True)
    RemoteServer.objects.filter(pk=lighthouse.pk).update(revision=lighthouse.revision + 1)
    model.answers += [calling(whoami), Reply(pieces=("Then not.",))]
    ask(page, "Who am I now?")
    expect(page.locator("#standing")).to_contain_text("Waiting for you")
    page.get_by_role("button", name="Deny").click()
    expect(page.locator(".use").last).to_contain_text("Denied")
    expect(said(page).last).to_have_text("Then not.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert list(ToolUse.objects.order_by("pk").values_list("status", flat=True)) == ["done", "denied"]
    assert Turn.objects.exclude(status=TurnStatus.COMPLETED).count() == 1


def held_again(model: ModelProvider) -> None:
    """As if nobody had held or let go anything yet."""
    model.halfway.clear()
    model.go.clear()
