"""Every page without scripts: whole, with links that lead somewhere, and not shown to strangers without reason."""

from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser import world
from tests.browser.addresses import addresses
from tests.browser.visits import VISITORS, Visit, context_for, pages, visit_of


@pytest.fixture(params=VISITORS)
def visit(request: pytest.FixtureRequest, transactional_db: None) -> Visit:
    return visit_of(request.param)


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
