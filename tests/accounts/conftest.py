"""What tests of accounts share: threads that start together, and a person at the pages."""

import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """What each action returned or raised, all begun at the same moment, each on a connection of its own."""
    together = threading.Barrier(len(actions), timeout=10)
    outcomes: list[Any] = [None] * len(actions)

    def run(place: int, action: Callable[[], Any]) -> None:
        try:
            together.wait()
            outcomes[place] = action()
        except Exception as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return outcomes


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
