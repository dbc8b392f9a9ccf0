"""Every page, found by walking the URL map: accessible, narrow, quiet and under the policy."""

from typing import Any

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.browser import inspection
from tests.browser.visits import VISITORS, Visit, context_for, pages, visit_of

DESK: ViewportSize = {"width": 1280, "height": 860}
HARMLESS = {"log", "info"}
PHONE: ViewportSize = {"width": 360, "height": 740}


@pytest.fixture(params=VISITORS)
def visit(request: pytest.FixtureRequest, transactional_db: None) -> Visit:
    return visit_of(request.param)


def test_every_page_is_accessible_narrow_quiet_and_under_the_policy(
    live_server: Any, chromium: Browser, axe: str, visit: Visit
) -> None:
    context = context_for(chromium, visit, live_server.url, color_scheme="light")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type not in HARMLESS else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    wrong = {}
    seen = 0
    for address, faults in pages(visit, page, live_server.url):
        seen += 1
        faults += inspection.outline(page)
        faults += inspection.scripts(page)
        faults += inspection.keyboard(page)
        faults += inspection.accessibility(page, axe, "light")
        faults += inspection.accessibility(page, axe, "dark")
        page.set_viewport_size(PHONE)
        faults += inspection.width(page)
        faults += inspection.accessibility(page, axe, "light")
        page.set_viewport_size(DESK)
        faults += complaints
        complaints.clear()
        if faults:
            wrong[address.url] = faults
    context.close()
    assert seen
    assert not wrong
