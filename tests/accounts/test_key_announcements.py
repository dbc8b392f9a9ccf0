"""What a database tells every process on `api_key_revoked`, whichever door the change came through."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import ApiKey, User
from accounts.services import keys
from tests.factories import caller_for, make_key

pytestmark = pytest.mark.django_db(transaction=True)

Heard = Callable[[], list[str]]
END = "nothing more"


@pytest.fixture
def heard(transactional_db: None) -> Iterator[Heard]:
    """What a connection of another process has heard since it began to listen."""
    listener = connection.copy()
    listener.ensure_connection()
    listener.connection.execute("LISTEN api_key_revoked")

    def payloads() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify('api_key_revoked', %s)", [END])
        found: list[str] = []
        for notice in listener.connection.notifies(timeout=10):
            if notice.payload == END:
                return found
            found.append(notice.payload)
        raise AssertionError("the database said nothing in ten seconds")

    yield payloads
    listener.close()


def test_a_revoked_key_is_announced_by_its_lookup(heard: Heard) -> None:
    key, _ = make_key()
    keys.revoke_key(caller_for(key.user), key_id=key.pk)
    assert heard() == [key.lookup]


def test_a_rotated_key_is_announced_when_its_overlap_begins(heard: Heard) -> None:
    key, _ = make_key()
    keys.rotate_key(caller_for(key.user), key_id=key.pk, overlap=timedelta(hours=1))
    assert heard() == [key.lookup]


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "admin"},
        {"expires_at": timezone.now()},
        {"digest": bytes(32)},
        {"lookup": "another1"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_to_what_a_key_opens_is_announced(heard: Heard, change: dict[str, object]) -> None:
    key, _ = make_key()
    ApiKey.objects.filter(pk=key.pk).update(**change)
    assert heard() == [key.lookup]


def test_raw_sql_is_announced_like_any_other_door(heard: Heard) -> None:
    key, _ = make_key()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_apikey SET revoked_at = now() WHERE id = %s", [key.pk])
        cursor.execute("DELETE FROM accounts_apikey WHERE id = %s", [key.pk])
    assert heard() == [key.lookup, key.lookup]


def test_a_deactivated_person_is_announced_and_a_renamed_one_is_not(heard: Heard) -> None:
    key, _ = make_key()
    User.objects.filter(pk=key.user_id).update(name="Somebody else")
    User.objects.filter(pk=key.user_id).update(is_active=True)
    assert heard() == []
    User.objects.filter(pk=key.user_id).update(is_active=False)
    assert heard() == [f"user:{key.user_id}"]


def test_a_key_that_is_merely_used_or_renamed_is_not_announced(heard: Heard) -> None:
    key, _ = make_key()
    keys.touch(key.pk)
    ApiKey.objects.filter(pk=key.pk).update(name="Renamed")
    assert heard() == []
