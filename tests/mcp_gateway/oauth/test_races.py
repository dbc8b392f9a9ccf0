"""What happens when a client, or whoever stole from it, asks many times at once: real connections, real locks."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from mcp_gateway.models import AccessToken, RefreshToken
from tests.factories import UserFactory
from tests.mcp_gateway.oauth.flow import Flow, member, register

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 8
ROUNDS = 20


@pytest.fixture
def person(transactional_db: None) -> User:
    user: User = UserFactory()
    return user


@pytest.fixture
def flow(person: User) -> Flow:
    member(person)
    browser = Client()
    browser.force_login(person)
    client_id: str = register(Client()).json()["client_id"]
    return Flow(browser, client_id)


def at_once(ask: Callable[[], Any]) -> list[Any]:
    """What eight threads are answered that ask at the same moment."""
    ready = threading.Barrier(AT_ONCE)
    answers: list[Any] = []

    def run() -> None:
        ready.wait(20)
        try:
            answers.append(ask())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(answers) == AT_ONCE
    return answers


def test_a_code_raced_by_eight_is_redeemed_once_and_what_came_of_it_ended(flow: Flow) -> None:
    code = flow.code()
    statuses = sorted(response.status_code for response in at_once(lambda: flow.redeem(code)))
    assert statuses == [200] + [400] * (AT_ONCE - 1)
    assert not AccessToken.objects.exists()
    assert not RefreshToken.objects.filter(revoked__isnull=True).exists()


def test_refreshes_raced_by_eight_all_succeed_with_one_successor(flow: Flow) -> None:
    refresh_token = flow.tokens()["refresh_token"]
    for _ in range(ROUNDS):
        held = refresh_token
        responses = at_once(lambda: flow.refresh(held))  # noqa: B023 - all of them are answered within the round
        assert [response.status_code for response in responses] == [200] * AT_ONCE
        successors = {(answer.json()["access_token"], answer.json()["refresh_token"]) for answer in responses}
        assert len(successors) == 1
        assert RefreshToken.objects.filter(revoked__isnull=True).count() == 1
        refresh_token = successors.pop()[1]
    assert AccessToken.objects.count() == 1
    assert RefreshToken.objects.count() == ROUNDS + 1
