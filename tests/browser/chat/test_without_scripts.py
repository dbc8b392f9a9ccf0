"""The chat works without scripts."""

from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import User
from agents_hub.models import Agent
from tests.browser.chat.talking import opened, said
from tests.fakes.model_provider import ModelProvider, Reply


def test_all_of_it_works_without_scripts(
    chromium: Browser, platform: str, person: User, agent: Agent, model: ModelProvider
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    opened(page, platform, person, agent)
    model.answers += [Reply(pieces=("One ", "two ", "three ", "four"), held=True)]
    page.get_by_label("Message to Keeper").fill("Count")
    page.get_by_label("Files to go with the message").set_input_files(
        {"name": "numbers.txt", "mimeType": "text/plain", "buffer": b"1 2 3"}
    )
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".message.mine")).to_contain_text("numbers.txt")
    assert model.halfway.wait(60)
    reload_until(page, said(page).filter(has_text="One"))
    page.get_by_role("button", name="Stop").click()
    reload_until(page, page.get_by_text("You stopped the answer."))
    model.go.set()
    # A page that was made while the answer ended may show the end and not yet what can be done after it.
    reload_until(page, page.get_by_text("Edit", exact=True))
    page.get_by_text("Edit", exact=True).click()
    page.get_by_label("Your new message").fill("Count to one")
    page.locator(".edit").get_by_role("button", name="Send").click()
    reload_until(page, page.get_by_text("Hello there."))
    expect(page.get_by_text("2/2")).to_be_visible()
    page.get_by_role("button", name="Previous version").click()
    expect(page.locator(".message.mine")).to_contain_text("Count")
    expect(page.get_by_text("1/2")).to_be_visible()
    context.close()


def reload_until(page: Page, wanted: Locator) -> None:
    """Load the page anew until that is in it, as somebody without scripts would."""
    for _ in range(100):
        if wanted.count():
            return
        page.reload()
    raise AssertionError(f"The page never showed {wanted}")
