"""Every page, found by walking the URL map: accessible, narrow, quiet, under the policy, and whole without scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from accounts.models import User
from tests.browser import inspection, world
from tests.browser.addresses import Address, addresses
from tests.browser.conftest import sign_in

DESK: ViewportSize = {"width": 1280, "height": 860}
HARMLESS = {"log", "info"}
PHONE: ViewportSize = {"width": 360, "height": 740}


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose eyes the pages are seen with."""

    person: User | None
    found: list[Address]


@pytest.fixture(params=["a stranger", "a newcomer", "an owner"])
def visit(request: pytest.FixtureRequest, transactional_db: None) -> Visit:
    if request.param == "an owner":
        owned = world.populated()
        return Visit(owned.person, list(addresses(world.values(owned))))
    found = list(addresses(world.values()))
    if request.param == "a newcomer":
        return Visit(world.newcomer(), [one for one in found if one.name not in world.OPEN_TO_ANYONE])
    return Visit(None, [one for one in found if one.name in world.OPEN_TO_ANYONE])


def context_for(chromium: Browser, visit: Visit, url: str, **options: Any) -> BrowserContext:
    context = chromium.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(15_000)
    if visit.person is not None:
        sign_in(context, visit.person, url)
    return context


def pages(visit: Visit, page: Page, url: str) -> Iterator[tuple[Address, list[str]]]:
    """Each address that is a page for this visitor, opened, with the list that its faults go into."""
    for address in visit.found:
        answer = page.request.get(url + address.url, max_redirects=5 if address.name in world.SENDS_ON else 0)
        is_page = answer.headers.get("content-type", "").startswith("text/html") and address.name not in world.DOCUMENTS
        if answer.status == 200 and is_page:
            faults: list[str] = []
            response = page.goto(url + address.url)
            assert response is not None
            faults += inspection.policy(response)
            yield address, faults
        else:
            assert answer.status < 500, f"{address.url} answers {answer.status}"


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


def test_every_page_shows_the_same_without_scripts_and_its_links_lead_somewhere(
    live_server: Any, chromium: Browser, visit: Visit
) -> None:
    with_scripts = context_for(chromium, visit, live_server.url)
    without = context_for(chromium, visit, live_server.url, java_script_enabled=False)
    plain = without.new_page()
    wrong = {}
    links: dict[str, str] = {}
    for address, faults in pages(visit, page := with_scripts.new_page(), live_server.url):
        plain.goto(live_server.url + address.url)
        for selector in ("h1", "main th", "main td", "main dd", "main li", "main label", "main a:not([hidden])"):
            shown = [part.strip() for part in page.locator(selector).all_inner_texts()]
            bare = [part.strip() for part in plain.locator(selector).all_inner_texts()]
            if len(shown) != len(bare) or (any(shown) and not any(bare)):
                faults.append(f"{selector}: {len(bare)} without scripts, {len(shown)} with")
        for href in plain.evaluate("[...document.querySelectorAll('a[href]')].map((link) => link.href)"):
            bare_link = href.split("#")[0]
            if bare_link.startswith(live_server.url) and "/admin/" not in bare_link:
                links.setdefault(bare_link, address.url)
        if faults:
            wrong[address.url] = faults
    for link, origin in links.items():
        answer = without.request.get(link, max_redirects=0)
        if answer.status >= 400:
            wrong.setdefault(origin, []).append(f"its link {link} answers {answer.status}")
    with_scripts.close()
    without.close()
    assert links
    assert not wrong


def test_a_stranger_is_sent_to_sign_in_by_every_page_that_is_not_open_to_anyone(
    live_server: Any, chromium: Browser, transactional_db: None
) -> None:
    owned = world.populated()
    context = chromium.new_context()
    let_in = []
    for address in addresses(world.values(owned)):
        answer = context.request.get(live_server.url + address.url, max_redirects=0)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if address.name not in world.OPEN_TO_ANYONE and answer.status == 200 and is_page:
            let_in.append(address.url)
    context.close()
    assert not let_in
