"""Takes the README's pictures of a running platform with its demo data, in both colour schemes."""

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
    page.locator("td.main a").first.click()
    _take(page, "bot", scheme)
    page.get_by_label("Sections of").get_by_role("link", name="Tickets").click()
    page.locator("td.main a").first.click()
    _take(page, "ticket", scheme)


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
