"""One conversation in two tabs of a browser."""

from playwright.sync_api import Page, expect

from accounts.models import User
from agents_hub.models import Agent
from tests.browser.chat.talking import ask, opened, said
from tests.fakes.model_provider import ModelProvider, Reply


def test_what_is_asked_in_one_tab_is_answered_before_the_eyes_of_the_other(
    page: Page, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    # No poll shows it.
    page.context.route("**/news?*", lambda route: route.fulfill(status=204))
    opened(page, platform, person, agent)
    ask(page, "Hello?")
    expect(said(page)).to_have_text("Hello there.")
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_label("Message to Keeper").fill("Typed and not sent")
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    ask(page, "Count")
    expect(other.locator(".message.mine").last).to_contain_text("Count")
    expect(said(other).last).to_contain_text("One")
    expect(other.get_by_label("Message to Keeper")).to_have_value("Typed and not sent")
    model.go.set()
    expect(said(other).last).to_have_text("One two three four")
    # Nothing is asked for any more when the server ends.
    for each in (other, page):
        each.goto("about:blank")
