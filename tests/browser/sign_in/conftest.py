"""A person, the platform as a process of its own, and a page of a real browser for the sign-in to be done in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Browser, ConsoleMessage, Page

from accounts.models import User
from tests.browser.sign_in.clients import PASSWORD
from tests.factories import UserFactory
from tests.mcp_gateway.oauth.flow import member
from tests.mcp_gateway.oauth.running import Platform, platform


@pytest.fixture
def person(transactional_db: None) -> User:
    user: User = UserFactory(name="Ada")
    # As the platform hashes, not as the tests do, for it is another process that checks it; few rounds, for speed.
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt-of-a-test", iterations=1000)
    user.save()
    member(user, "Harbour Lights")
    return user


@pytest.fixture
def environment() -> dict[str, str]:
    """What an operator sets besides; for modules to say otherwise."""
    return {}


@pytest.fixture
def served(person: User, environment: dict[str, str], tmp_path: Path) -> Iterator[Platform]:
    with platform(tmp_path, environment) as running:
        yield running


@pytest.fixture
def page(chromium: Browser, served: Platform) -> Iterator[Page]:
    """A page that fails the test on any error of ours in the console; the clients' own pages may be as they are."""
    context = chromium.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    errors: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: errors.append(message.text) if _is_ours(message, served.url) else None)
    yield page
    context.close()
    assert not errors


def _is_ours(message: ConsoleMessage, url: str) -> bool:
    return message.type == "error" and message.location["url"].startswith(url)
