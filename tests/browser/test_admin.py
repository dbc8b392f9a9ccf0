"""Django's administration under the platform's content security policy."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import world
from tests.browser.conftest import sign_in


@pytest.mark.faults
def test_every_list_and_form_of_the_administration_works_under_the_policy(
    page: Page, live_server: Any, transactional_db: None
) -> None:
    """The fixture fails the test on anything in the console, where a breach of the policy is written."""
    owned = world.populated()
    sign_in(page.context, owned.person, live_server.url)
    page.goto(f"{live_server.url}/admin/")
    expect(page.locator("#site-name")).to_have_text("Asterism administration")
    lists = page.evaluate("[...document.querySelectorAll('#content-main th a')].map((link) => link.href)")
    assert len(lists) > 20
    for address in lists:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        form = page.evaluate("document.querySelector('#result_list tbody th a')?.href")
        if form:
            opened = page.goto(form)
            assert opened is not None
            assert opened.status == 200, form
            assert page.locator("#content h1, #content h2").first.is_visible(), form


def test_the_administration_leads_back_to_the_pages(page: Page, live_server: Any, transactional_db: None) -> None:
    owned = world.populated()
    sign_in(page.context, owned.person, live_server.url)
    page.goto(f"{live_server.url}/dashboard/")
    page.locator(".person summary").click()
    page.get_by_role("link", name="Administration").click()
    page.get_by_role("link", name="View site").click()
    expect(page.locator("h1")).to_have_text("Home")
