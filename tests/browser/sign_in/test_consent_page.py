"""The page on which a person lets a client in, in a real browser."""

import re

from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from mcp_gateway.models import Application
from tests.browser import inspection
from tests.browser.sign_in.clients import PASSWORD
from tests.mcp_gateway.oauth.running import Platform


def test_the_consent_page_is_accessible_narrow_and_usable_by_keyboard(
    served: Platform, person: User, page: Page, axe: str
) -> None:
    application = Application.objects.create(
        name="An editor with a name as long as a name may well be",
        client_type="public",
        client_uri="https://an.editor.with.a.long.host.example.net/",
        redirect_uris="http://127.0.0.1/callback",
    )
    query = (
        f"response_type=code&client_id={application.client_id}&redirect_uri=http://127.0.0.1:1/callback&scope=admin"
        "&state=s&code_challenge_method=S256&code_challenge=" + "c" * 43
    )
    page.goto(f"{served.url}/oauth/authorize?{query}")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Let it in")).to_be_visible()
    faults = [*inspection.outline(page), *inspection.keyboard(page), *inspection.accessibility(page, axe, "light")]
    faults += inspection.accessibility(page, axe, "dark")
    page.set_viewport_size({"width": 360, "height": 740})
    faults += [*inspection.width(page), *inspection.accessibility(page, axe, "light")]
    assert not faults


def test_the_consent_page_cannot_be_framed(served: Platform, person: User, chromium: Browser) -> None:
    """A page of somebody else that lays ours under an innocent button gets an empty frame."""
    application = Application.objects.create(
        name="An editor", client_type="public", redirect_uris="http://127.0.0.1/callback"
    )
    query = f"response_type=code&client_id={application.client_id}&code_challenge_method=S256&code_challenge={'c' * 43}"
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{served.url}/sign-in")
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/dashboard"))
    framed = f'<!doctype html><title>Prize</title><iframe src="{served.url}/oauth/authorize?{query}"></iframe>'
    page.route("https://prize.example/", lambda route: route.fulfill(body=framed, content_type="text/html"))
    page.goto("https://prize.example/")
    frame = page.frames[1]
    assert frame.get_by_role("button", name="Let it in").count() == 0
    context.close()
