"""The API page in a real browser: a request is sent from it with a key, and its answer is shown."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from accounts.scopes import Scope
from mcp_gateway.rest.routes import APIS
from tests.agents_hub.factories import ProfileFactory
from tests.browser import world
from tests.browser.conftest import sign_in
from tests.factories import make_key


@pytest.fixture
def person(transactional_db: None) -> User:
    return world.newcomer()


@pytest.fixture
def api_page(page: Page, live_server: Any, person: User) -> Page:
    sign_in(page.context, person, live_server.url)
    page.goto(f"{live_server.url}/dashboard/")
    page.get_by_label("Main").get_by_role("link", name="API").click()
    return page


def test_every_route_is_on_the_page(api_page: Page) -> None:
    routes = [f"/{route.path}" for api in APIS for route in api]
    shown = api_page.locator("summary code")
    expect(shown).to_have_count(len(routes))
    assert sorted(shown.all_inner_texts()) == sorted(routes)


def test_a_request_is_sent_with_the_key_and_its_answer_shown(api_page: Page, person: User) -> None:
    api_page.get_by_label("Key for trying out").fill(make_key(person)[1])
    api_page.locator("#getContext summary").click()
    route = api_page.locator("#getContext")
    route.get_by_role("button", name="Send").click()
    expect(route.get_by_role("status")).to_contain_text("200")
    expect(route.get_by_label("Answer")).to_contain_text(person.email)


def test_path_and_body_are_sent_as_they_stand_in_the_form(api_page: Page, person: User) -> None:
    profile = ProfileFactory(organization=person.organizations.get())
    api_page.get_by_label("Key for trying out").fill(make_key(person, Scope.WRITE)[1])
    api_page.locator("#agentProfileGet summary").click()
    route = api_page.locator("#agentProfileGet")
    route.get_by_label("profileId").fill(str(profile.pk))
    route.get_by_role("button", name="Send").click()
    expect(route.get_by_label("Answer")).to_contain_text(profile.name)
    api_page.locator("#schemaValidate summary").click()
    route = api_page.locator("#schemaValidate")
    route.get_by_label("Body").fill('{"schema": {"type": "array"}}')
    route.get_by_role("button", name="Send").click()
    expect(route.get_by_label("Answer")).to_contain_text('"valid": false')


def test_without_a_key_nothing_is_sent_and_the_key_is_asked_for(api_page: Page) -> None:
    api_page.locator("#getContext summary").click()
    api_page.locator("#getContext").get_by_role("button", name="Send").click()
    expect(api_page.get_by_label("Key for trying out")).to_be_focused()
    expect(api_page.locator("#getContext [data-api-answer]")).to_be_hidden()
