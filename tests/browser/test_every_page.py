"""Every page, found by walking the URL map: accessible, narrow, quiet, under the policy, and whole without scripts."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser import inspection
from tests.browser.visits import VISITORS, Visit, context_for, pages, visit_of

DESK: ViewportSize = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 360, "height": 740}
# A small desk, the narrowest with tables of columns, and one a pixel narrower than that; and a tablet beside the rail.
BETWEEN = (1280, 1150, 1149, 820)
HARMLESS = {"log", "info"}
# They have nearly every page there is, one with everything on it and one with nothing: minutes of them.
MARKS = {"an owner": pytest.mark.faults, "a newcomer": pytest.mark.faults}


@pytest.fixture(params=[pytest.param(one, marks=MARKS.get(one, ())) for one in VISITORS])
def visit(request: pytest.FixtureRequest, transactional_db: None) -> Visit:
    return visit_of(request.param)


def test_every_page_is_accessible_narrow_quiet_under_the_policy_and_whole_without_scripts(
    live_server: Any, chromium: Browser, axe: str, visit: Visit
) -> None:
    context = context_for(chromium, visit, live_server.url, color_scheme="light", viewport=DESK)
    context.add_init_script(axe)
    without = context_for(chromium, visit, live_server.url, java_script_enabled=False, viewport=DESK)
    page, plain = context.new_page(), without.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type not in HARMLESS else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    wrong: dict[str, list[str]] = {}
    opened: set[str] = set()
    links: dict[str, str] = {}
    surroundings: set[str] = set()
    for address, faults in pages(visit, page, live_server.url):
        opened.add(address.url)
        plain.goto(live_server.url + address.url)
        faults += inspection.the_same_without_scripts(page, plain)
        for link in inspection.links(plain):
            links.setdefault(link, address.url)
        around = inspection.surroundings(page)
        faults += _faults(page, axe, content_alone=around in surroundings)
        surroundings.add(around)
        faults += complaints
        complaints.clear()
        if faults:
            wrong[address.url] = faults
    for link in links.keys() - opened:
        answer = without.request.get(live_server.url + link, max_redirects=0)
        if answer.status >= 400:
            wrong.setdefault(links[link], []).append(f"its link {link} answers {answer.status}")
    context.close()
    without.close()
    assert links
    assert wrong == {}


def _faults(page: Page, axe: str, *, content_alone: bool) -> list[str]:
    """What is wrong with the page as it stands, at a desk and on a phone, by day and by night."""
    faults = [*inspection.outline(page), *inspection.scripts(page)]
    faults += inspection.accessibility(page, axe, "light", content_alone=content_alone)
    faults += inspection.accessibility(page, axe, "dark", "colours", content_alone=content_alone)
    faults += inspection.keyboard(page, content_alone=content_alone)
    for width in BETWEEN:
        page.set_viewport_size({"width": width, "height": 860})
        faults += inspection.width(page)
    page.set_viewport_size(PHONE)
    faults += inspection.width(page)
    faults += inspection.accessibility(page, axe, "light", "rest", content_alone=content_alone)
    page.set_viewport_size(DESK)
    return faults
