"""Keys are remembered for seconds, and forgotten at once in every process that hears of their end."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.caller import Caller, Door
from accounts.models import ApiKey, User
from accounts.scopes import Scope
from accounts.services import keys
from mcp_gateway.keyring import KeyRing
from tests.factories import UserFactory
from tests.mcp_gateway import door


@pytest.fixture
def user(transactional_db: None) -> User:
    return UserFactory()


def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every key that is looked up in the database from now on."""
    asked: list[str] = []
    verify = keys.verify

    def counted(text: str) -> Any:
        asked.append(text)
        return verify(text)

    monkeypatch.setattr(keys, "verify", counted)
    return asked


async def listening(ring: KeyRing) -> "asyncio.Task[None]":
    task = asyncio.create_task(ring.listen())
    async with asyncio.timeout(10):
        await ring.heard()
    return task


def with_ring(test: Callable[[KeyRing], Any], remember_seconds: float = 60) -> None:
    """Run the test beside a ring that listens."""

    async def run() -> None:
        ring = KeyRing(remember_seconds)
        task = await listening(ring)
        try:
            await test(ring)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            from mcp_gateway import offload

            await asyncio.to_thread(offload.close)

    asyncio.run(run())


async def forgotten(ring: KeyRing, text: str) -> None:
    """Wait until the ring no longer knows the key."""
    async with asyncio.timeout(10):
        while ring.remembers(text):
            await asyncio.sleep(0.005)


def test_a_key_is_looked_up_once_while_it_is_remembered(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = door.api_key(user), lookups(monkeypatch)

    async def test(ring: KeyRing) -> None:
        for _ in range(3):
            found = await ring.verify(text)
            assert found is not None
            assert found.user_id == user.pk

    with_ring(test)
    assert asked == [text]


def test_a_mistyped_key_is_not_looked_up(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = lookups(monkeypatch)
    assert asyncio.run(KeyRing(60).verify("wiz_" + "a" * 32)) is None
    assert asked == []


def revoke(text: str, user: User) -> None:
    key = ApiKey.objects.get(user=user)
    keys.revoke_key(Caller(user_id=user.pk, scope=Scope.ADMIN, door=Door.PAGE), key_id=key.pk)


def rotate(text: str, user: User) -> None:
    key = ApiKey.objects.get(user=user)
    keys.rotate_key(Caller(user_id=user.pk, scope=Scope.ADMIN, door=Door.PAGE), key_id=key.pk)


def delete_by_hand(text: str, user: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_apikey WHERE user_id = %s", [user.pk])


def deactivate(text: str, user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@pytest.mark.parametrize("end", [revoke, rotate, delete_by_hand, deactivate])
def test_a_key_that_ends_is_forgotten_at_once_by_whichever_door(user: User, end: Callable[[str, User], None]) -> None:
    text = door.api_key(user)

    async def test(ring: KeyRing) -> None:
        assert await ring.verify(text) is not None
        assert ring.remembers(text)
        await asyncio.to_thread(closing, end, text, user)
        await forgotten(ring, text)
        assert await ring.verify(text) is None

    with_ring(test)


def closing(act: Callable[[str, User], None], text: str, user: User) -> None:
    """Act in a thread, and close its connection after it."""
    try:
        act(text, user)
    finally:
        connection.close()


def test_a_key_revoked_while_it_was_being_looked_up_is_not_remembered(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = door.api_key(user)
    verify = keys.verify

    async def test(ring: KeyRing) -> None:
        def revoked_meanwhile(given: str) -> Any:
            found = verify(given)
            ring.forget("another")
            return found

        monkeypatch.setattr(keys, "verify", revoked_meanwhile)
        assert await ring.verify(text) is not None
        assert not ring.remembers(text)

    with_ring(test)


def test_nothing_is_remembered_while_revocations_cannot_be_heard(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    text, asked = door.api_key(user), lookups(monkeypatch)

    async def test(ring: KeyRing) -> None:
        await ring.verify(text)
        assert ring.remembers(text)
        await asyncio.to_thread(cut_listeners)
        await forgotten(ring, text)
        async with asyncio.timeout(20):
            await ring.heard()  # it came back by itself
        await ring.verify(text)
        assert ring.remembers(text)

    with_ring(test)
    assert asked == [text, text]


def cut_listeners() -> None:
    parameters = connection.get_connection_params()
    where = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if name in parameters}
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'asterism-keys' AND datname = current_database()"
        )


def test_a_remembered_key_ends_at_its_expiry(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    expires_at = timezone.now() + timedelta(hours=1)
    text = door.api_key(user, expires_at=expires_at)

    async def test(ring: KeyRing) -> None:
        for seconds, opens in ((-1, True), (0, False)):
            assert await ring.verify(text) is not None
            assert ring.remembers(text)
            with monkeypatch.context() as at:
                at.setattr(timezone, "now", lambda: expires_at + timedelta(seconds=seconds))  # noqa: B023
                assert (await ring.verify(text) is not None) == opens

    with_ring(test, remember_seconds=7200)


def test_verifying_asks_one_query(user: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    text = door.api_key(user)
    with django_assert_num_queries(1):
        assert keys.verify(text) is not None
