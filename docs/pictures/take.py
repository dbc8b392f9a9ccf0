"""Takes the pictures of the README and the guides: of a running platform with its demo data, in both colour schemes."""

import os
import sys
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

HERE = Path(__file__).resolve().parent
DESK: ViewportSize = {"width": 1200, "height": 760}


def main(url: str, email: str, password: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport=DESK, color_scheme=scheme)
            page = context.new_page()
            page.goto(f"{url}/sign-in")
            page.get_by_label("E-mail").fill(email)
            page.get_by_label("Password").fill(password)
            page.get_by_role("button", name="Sign in").click()
            _walk(page, scheme)
            context.close()
        browser.close()


def _walk(page: Page, scheme: str) -> None:
    _take(page, "home", scheme)
    page.get_by_role("link", name="Beacon").first.click()
    _take(page, "bot", scheme)
    page.get_by_label("Sections of").get_by_role("link", name="Tickets").click()
    page.locator("td.main a").first.click()
    _take(page, "ticket", scheme)
    _chat(page, scheme)
    _execution(page, scheme)


def _chat(page: Page, scheme: str) -> None:
    """A conversation in which a tool was called, with the call unfolded."""
    page.get_by_role("link", name="Chat", exact=True).click()
    page.get_by_role("link", name="New chat").click()
    page.get_by_role("link", name="Harbour desk").click()
    page.get_by_role("button", name="What do guests ask for just now?").click()
    page.get_by_role("button", name="Answer again").wait_for()
    page.locator(".use summary").first.click()
    _take(page, "chat", scheme)


def _execution(page: Page, scheme: str) -> None:
    """An execution that waits for an answer."""
    page.get_by_role("link", name="Agents", exact=True).click()
    page.get_by_role("link", name="Harbour desk").click()
    page.get_by_role("main").get_by_role("link", name="Workflows").click()
    page.get_by_role("main").get_by_role("link", name="Run").first.click()
    page.get_by_label("boat").fill("Albatross")
    page.get_by_label("nights").fill("3")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Which berth does Albatross get?").first.wait_for()
    _take(page, "execution", scheme)


def _take(page: Page, name: str, scheme: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / f"{name}-{scheme}.png")


def _chromium() -> str | None:
    """The system's Chromium where there is one, else Playwright's own."""
    return next((path for path in ("/usr/bin/chromium", "/usr/bin/google-chrome") if Path(path).exists()), None)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("Usage: python docs/pictures/take.py URL EMAIL PASSWORD (what `make run` prints)")
    main(*sys.argv[1:])
