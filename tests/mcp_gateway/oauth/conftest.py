"""A person in an organization, signed in, with a client that wants in."""

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.mcp_gateway.oauth.flow import Flow, member, register
from tests.pages import signed_in


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def browser(person: User) -> Client:
    """The person's browser, signed in."""
    member(person)
    return signed_in(person)


@pytest.fixture
def flow(browser: Client) -> Flow:
    """A client that registered itself, and the browser it opens."""
    return Flow(browser, register(Client()).json()["client_id"])
