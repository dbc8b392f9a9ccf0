"""Talking to the agent Keeper as a person with a browser does."""

import re

from playwright.sync_api import Locator, Page, expect

from accounts.models import User
from agents_hub.models import Agent
from tests.browser.conftest import sign_in

# Set in the page, and gone with a reload.
NOT_RELOADED = "window.notReloaded === true"


def opened(page: Page, platform: str, person: User, agent: Agent) -> None:
    """An empty chat with the agent."""
    sign_in(page.context, person, platform)
    page.goto(f"{platform}/dashboard/chat/new")
    page.get_by_role("link", name=agent.name).click()
    # Loaded with its scripts: before them, Enter begins a line.
    page.wait_for_url(re.compile("/dashboard/chat/new/"))


def said(page: Page) -> Locator:
    return page.locator(".message:not(.mine) .said")


def ask(page: Page, text: str) -> None:
    composer = page.get_by_label("Message to Keeper")
    composer.fill(text)
    composer.press("Enter")
    expect(page.locator(".message.mine").last).to_contain_text(text)
