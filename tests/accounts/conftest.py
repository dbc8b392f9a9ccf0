"""What tests of accounts share: a person, and what the person meets at the pages."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory


def form_token(page: bytes) -> str:
    """The token of the form on a page, which lets it be sent once."""
    found = re.search(rb'name="token" value="([^"]+)"', page)
    assert found, "the page has no form that acts once"
    return found[1].decode()


@pytest.fixture
def person(db: None) -> User:
    return UserFactory()


@pytest.fixture
def signed_in(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


@pytest.fixture
def mails_at_once() -> Iterator[None]:
    """Carry out background work where it is asked for; the broker is not what these tests are about."""
    from config.celery import app

    before = app.conf.task_always_eager
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = before
