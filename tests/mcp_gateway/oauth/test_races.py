"""What happens when a client, or whoever stole from it, asks many times at once: real connections, real locks."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client

from accounts.caller import Caller
from accounts.models import User
from mcp_gateway.models import AccessToken, Connection, RefreshToken
from mcp_gateway.oauth import connections
from mcp_gateway.oauth.validator import Validator
from tests.factories import UserFactory, caller_for
from tests.mcp_gateway.oauth.flow import Flow, member, register
from tests.pages import signed_in
from tests.threads import SECONDS, at_once, meanwhile, until_one_waits_for_a_lock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.faults]

AT_ONCE = 8
ROUNDS = 20


@pytest.fixture
def person(transactional_db: None) -> User:
    user: User = UserFactory()
    return user


@pytest.fixture
def flow(person: User) -> Flow:
    member(person)
    browser = signed_in(person)
    client_id: str = register(Client()).json()["client_id"]
    return Flow(browser, client_id)


def test_a_code_raced_by_eight_is_redeemed_once_and_what_came_of_it_ended(flow: Flow) -> None:
    code = flow.code()
    statuses = sorted(response.status_code for response in at_once(*[partial(flow.redeem, code)] * AT_ONCE))
    assert statuses == [200] + [400] * (AT_ONCE - 1)
    assert not AccessToken.objects.exists()
    assert not RefreshToken.objects.filter(revoked__isnull=True).exists()


def test_refreshes_raced_by_eight_all_succeed_with_one_successor(flow: Flow) -> None:
    refresh_token = flow.tokens()["refresh_token"]
    for _ in range(ROUNDS):
        responses = at_once(*[partial(flow.refresh, refresh_token)] * AT_ONCE)
        assert [response.status_code for response in responses] == [200] * AT_ONCE
        successors = {(answer.json()["access_token"], answer.json()["refresh_token"]) for answer in responses}
        assert len(successors) == 1
        assert RefreshToken.objects.filter(revoked__isnull=True).count() == 1
        refresh_token = successors.pop()[1]
    assert AccessToken.objects.count() == 1
    assert RefreshToken.objects.count() == ROUNDS + 1


def disconnect(caller: Caller) -> None:
    connections.end_connection(caller, connection_id=Connection.objects.get().pk)


def replay_is_noticed(caller: Caller) -> None:
    RefreshToken.revoke_family(RefreshToken.objects.first().token_family)  # type: ignore[union-attr]


@pytest.mark.parametrize("end", [disconnect, replay_is_noticed])
def test_what_ends_while_it_is_being_refreshed_leaves_no_successor(
    flow: Flow, person: User, monkeypatch: pytest.MonkeyPatch, end: Callable[[Caller], None]
) -> None:
    refresh_token = flow.tokens()["refresh_token"]
    rotated, let_go = threading.Event(), threading.Event()
    keep_successor = Validator._keep_successor

    def hold(*arguments: Any) -> None:
        keep_successor(*arguments)
        rotated.set()
        assert let_go.wait(SECONDS)

    monkeypatch.setattr(Validator, "_keep_successor", hold)
    with meanwhile(partial(flow.refresh, refresh_token)) as refreshed:
        assert rotated.wait(SECONDS)
        with meanwhile(partial(end, caller_for(person))) as ended:
            until_one_waits_for_a_lock()
            let_go.set()
    assert (refreshed[0].status_code, ended) == (200, [None])
    assert not RefreshToken.objects.filter(revoked__isnull=True).exists()
    assert not AccessToken.objects.exists()


def test_a_code_redeemed_while_its_client_is_disconnected_opens_nothing(flow: Flow, person: User) -> None:
    for _ in range(5):
        flow.tokens()
        code, connection_id = flow.code(), Connection.objects.get().pk
        end = partial(connections.end_connection, caller_for(person), connection_id=connection_id)
        redeemed, ended = at_once(partial(flow.redeem, code), end)
        assert isinstance(ended, Connection)
        assert redeemed.status_code in {200, 400}
        assert not RefreshToken.objects.filter(revoked__isnull=True).exists()
        assert not Connection.objects.exists()
