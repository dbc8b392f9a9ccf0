"""The form of a browser profile in a real browser: it shows what the chosen proxy needs, without any script."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from agents_hub.models import Profile
from tests.agents_hub.factories import ProfileFactory, member_of
from tests.browser.conftest import sign_in
from tests.factories import OrganizationFactory


@pytest.fixture
def form(page: Page, live_server: Any, transactional_db: None) -> Page:
    """The form that edits a profile with a custom proxy."""
    profile: Profile = ProfileFactory(
        organization=OrganizationFactory(),
        proxy_mode="custom",
        proxy_server="proxy.example:8080",
        proxy_password="kept as it is",
    )
    sign_in(page.context, member_of(profile.organization), live_server.url)
    page.goto(f"{live_server.url}/dashboard/profiles/{profile.pk}/edit")
    return page


def test_the_form_shows_the_chosen_proxy_and_what_would_break_its_rules(form: Page) -> None:
    mode, server, kind = form.get_by_label("Mode"), form.get_by_label("Server"), form.get_by_label("Type")
    sticky = form.get_by_label("Keep the same IP address")
    expect(server).to_be_visible()
    expect(kind).to_be_hidden()
    mode.select_option("managed")
    expect(server).to_be_hidden()
    expect(kind).to_be_visible()
    sticky.check()
    mode.select_option("none")
    # What is still switched on stays in sight, since the rules have something to say about it.
    expect(sticky).to_be_visible()
    form.get_by_role("button", name="Save").click()
    expect(sticky).to_be_focused()
    expect(form.locator("#id_sticky_ip_error")).to_contain_text("managed proxy alone")
    sticky.uncheck()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("heading", name="What happened")).to_be_visible()
    assert Profile.objects.get().proxy_mode == "none"


def test_a_stored_secret_is_replaced_only_by_who_asks_to_replace_it(form: Page) -> None:
    password = form.get_by_label("Password")
    expect(password).to_be_hidden()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("heading", name="What happened")).to_be_visible()
    assert Profile.objects.get().proxy_password == "kept as it is"
    # The link leads to the field itself, which opens what it is folded into.
    form.get_by_role("link", name="Replace").click()
    password.fill("another")
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("heading", name="What happened")).to_be_visible()
    assert Profile.objects.get().proxy_password == "another"
