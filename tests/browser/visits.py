"""Whose eyes the pages are seen with, and every page there is for them, found by walking the URL map."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from tests.browser import inspection, world
from tests.browser.addresses import Address, addresses
from tests.browser.conftest import sign_in

VISITORS = ("a stranger", "a newcomer", "an owner")


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose eyes the pages are seen with."""

    person: User | None
    found: list[Address]


def visit_of(visitor: str) -> Visit:
    """Fill the database for one of `VISITORS`, and say what they may look at."""
    if visitor == "an owner":
        owned = world.populated()
        return Visit(owned.person, list(_each_open_page_once(addresses(world.values(owned)))))
    found = list(addresses(world.values()))
    if visitor == "a newcomer":
        return Visit(world.newcomer(), [one for one in found if one.name not in world.OPEN_TO_ANYONE])
    return Visit(None, [one for one in found if one.name in world.OPEN_TO_ANYONE])


def _each_open_page_once(found: Iterator[Address]) -> Iterator[Address]:
    """What is open to anyone a stranger sees in full: to somebody signed in only what stands around it is new."""
    met = set()
    for one in found:
        if one.name not in met:
            yield one
        if one.name in world.OPEN_TO_ANYONE:
            met.add(one.name)


def context_for(chromium: Browser, visit: Visit, url: str, **options: Any) -> BrowserContext:
    context = chromium.new_context(reduced_motion="reduce", **options)
    context.set_default_timeout(15_000)
    if visit.person is not None:
        sign_in(context, visit.person, url)
    return context


def pages(visit: Visit, page: Page, url: str) -> Iterator[tuple[Address, list[str]]]:
    """Each address that is a page for this visitor, opened, with the list that its faults go into."""
    for address in visit.found:
        if address.name in world.STREAMS:
            continue
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
