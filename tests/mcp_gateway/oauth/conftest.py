"""A person in an organization, signed in, with a client that wants in."""

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.mcp_gateway.oauth.flow import Flow, member, register


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def browser(person: User) -> Client:
    """The person's browser, signed in."""
    member(person)
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def flow(browser: Client) -> Flow:
    """A client that registered itself, and the browser it opens."""
    return Flow(browser, register(Client()).json()["client_id"])
