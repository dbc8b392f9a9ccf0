"""The chat by keyboard alone: what is pressed and gone leaves the focus near."""

from playwright.sync_api import Page, expect

from accounts.models import User
from agents_hub.models import Agent, AgentServer
from tests.agents_hub.chat.talks import calling, remote_name
from tests.browser.chat.talking import ask, opened, said
from tests.factories import RemoteServerFactory
from tests.fakes.mcp_server import mcp_server
from tests.fakes.model_provider import ModelProvider, Reply


def test_whoever_stops_an_answer_goes_on_writing(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    opened(page, platform, person, agent)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(said(page)).to_contain_text("One")
    page.get_by_role("button", name="Stop").press("Enter")
    expect(page.get_by_text("You stopped the answer.")).to_be_visible()
    expect(page.get_by_label("Message to Keeper")).to_be_focused()
    # Nothing is asked for any more when the server ends.
    page.goto("about:blank")


def test_whoever_answers_a_question_goes_on_at_the_call_that_it_was_about(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    with mcp_server() as served:
        printer = RemoteServerFactory(organization=agent.organization, name="Printer", slug="printer", url=served.url)
        AgentServer.objects.create(agent=agent, server=printer)
        opened(page, platform, person, agent)
        model.answers += [calling(remote_name(printer, "ship"), order="7"), Reply(pieces=("So ", "it is."))]
        ask(page, "Print")
        page.get_by_role("button", name="Decline").press("Enter")
        expect(said(page).last).to_have_text("So it is.")
        expect(page.locator(".use summary")).to_be_focused()
        page.goto("about:blank")
