"""The life of an API key, through the services."""

import hmac
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.errors import Conflict, Invalid, NotFound, ScopeMissing
from accounts.key_format import ALPHABET, checksum, new_key, read_key
from accounts.models import ApiKey, User
from accounts.scopes import Scope
from accounts.services import keys
from security.models import AuditEntry
from tests.factories import UserFactory, caller_for, make_key
from tests.threads import at_once


def test_a_key_is_wiz_and_32_base62_characters() -> None:
    text = new_key().text
    assert text.startswith("wiz_")
    assert len(text) == 36
    assert set(text[4:]) <= set(ALPHABET)


def test_a_key_never_shows_itself_in_a_repr() -> None:
    key = new_key()
    assert key.text not in repr(key)
    assert key.text[12:30] not in repr(key)


@given(place=st.integers(4, 35), letter=st.sampled_from(ALPHABET))
def test_any_single_typo_is_seen_without_the_database(place: int, letter: str) -> None:
    text = new_key().text
    mistyped = text[:place] + letter + text[place + 1 :]
    assert (read_key(mistyped) is None) == (mistyped != text)


@given(st.text())
def test_nothing_but_a_key_reads_as_one(text: str) -> None:
    assert read_key(text) is None


def test_the_checksum_covers_the_prefix_as_well() -> None:
    """Worked out apart from the code: CRC32 of the body, as six base62 digits."""
    assert checksum("wiz_" + "0" * 26) == "2Wh9CI"


def test_a_mistyped_key_costs_no_query(person: User, django_assert_num_queries: Any) -> None:
    _, text = make_key(person)
    mistyped = text[:-1] + ("a" if text[-1] != "a" else "b")
    with django_assert_num_queries(0):
        assert keys.verify(mistyped) is None


def test_a_key_opens_as_its_person_and_scope_in_one_query(person: User, django_assert_num_queries: Any) -> None:
    key, text = make_key(person, Scope.WRITE)
    with django_assert_num_queries(1):
        found = keys.verify(text)
    assert found == keys.VerifiedKey(key.pk, person.pk, Scope.WRITE, None)


def test_neither_the_key_nor_its_secret_is_stored(person: User) -> None:
    _, text = make_key(person)
    with connection.cursor() as cursor:
        cursor.execute("SELECT k::text FROM accounts_apikey k")
        (row,) = cursor.fetchone()
    assert text[4:12] in row
    assert text[12:30] not in row


def test_a_miss_is_compared_in_constant_time_like_a_hit(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    monkeypatch.setattr("accounts.services.keys.hmac.compare_digest", watched)
    _, text = make_key(person)
    assert keys.verify(text) is not None
    assert keys.verify(new_key().text) is None
    assert compared == [(32, 32), (32, 32)]


def test_a_key_with_the_right_lookup_and_another_secret_opens_nothing(person: User) -> None:
    _, text = make_key(person)
    body = text[:12] + new_key().text[12:30]
    assert keys.verify(body + checksum(body)) is None


def test_a_revoked_key_opens_nothing(person: User) -> None:
    key, text = make_key(person)
    keys.revoke_key(caller_for(person), key_id=key.pk)
    assert keys.verify(text) is None


def test_an_expired_key_opens_nothing(person: User) -> None:
    _, text = make_key(person, expires_at=timezone.now() - timedelta(seconds=1))
    assert keys.verify(text) is None


def test_a_key_of_somebody_deactivated_opens_nothing(person: User) -> None:
    _, text = make_key(person)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert keys.verify(text) is None


def test_a_rotated_key_without_overlap_stops_at_once_and_the_new_one_opens(person: User) -> None:
    key, old = make_key(person, Scope.WRITE)
    made = keys.rotate_key(caller_for(person), key_id=key.pk)
    assert keys.verify(old) is None
    opened = keys.verify(made.text)
    assert opened is not None
    assert (opened.scope, opened.user_id) == (Scope.WRITE, person.pk)


def test_a_rotated_key_works_for_its_overlap_and_no_longer(person: User, monkeypatch: pytest.MonkeyPatch) -> None:
    key, old = make_key(person)
    keys.rotate_key(caller_for(person), key_id=key.pk, overlap=timedelta(hours=2))
    assert keys.verify(old) is not None
    later = timezone.now() + timedelta(hours=2, seconds=1)
    monkeypatch.setattr("accounts.services.keys.timezone.now", lambda: later)
    assert keys.verify(old) is None


def test_an_overlap_never_makes_a_key_live_longer(person: User) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    key, _ = make_key(person, expires_at=soon)
    keys.rotate_key(caller_for(person), key_id=key.pk, overlap=timedelta(days=7))
    key.refresh_from_db()
    assert key.expires_at == soon


def test_a_rotated_key_passes_on_the_length_of_its_life(person: User) -> None:
    caller = caller_for(person)
    first = keys.create_key(caller, name="CI", scope=Scope.READ, expires_at=timezone.now() + timedelta(days=90))
    second = keys.rotate_key(caller, key_id=first.key.pk).key
    assert second.expires_at is not None
    assert abs(second.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)


def test_a_key_is_rotated_once(person: User) -> None:
    key, _ = make_key(person)
    keys.rotate_key(caller_for(person), key_id=key.pk, overlap=timedelta(hours=1))
    with pytest.raises(Conflict, match="Make a new one"):
        keys.rotate_key(caller_for(person), key_id=key.pk)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
def test_an_overlap_is_from_nothing_to_thirty_days(person: User, overlap: timedelta) -> None:
    key, _ = make_key(person)
    with pytest.raises(Invalid, match="30 days"):
        keys.rotate_key(caller_for(person), key_id=key.pk, overlap=overlap)


def test_revoking_twice_says_so_and_changes_nothing(person: User) -> None:
    key, _ = make_key(person)
    first = keys.revoke_key(caller_for(person), key_id=key.pk).revoked_at
    with pytest.raises(Conflict, match="already"):
        keys.revoke_key(caller_for(person), key_id=key.pk)
    key.refresh_from_db()
    assert key.revoked_at == first


def test_somebody_elses_key_is_not_found(person: User) -> None:
    theirs, text = make_key(UserFactory())
    with pytest.raises(NotFound):
        keys.revoke_key(caller_for(person), key_id=theirs.pk)
    with pytest.raises(NotFound):
        keys.rotate_key(caller_for(person), key_id=theirs.pk)
    assert keys.list_keys(caller_for(person)) == []
    assert keys.verify(text) is not None


def test_nobody_makes_a_key_wider_than_what_they_hold(person: User) -> None:
    with pytest.raises(ScopeMissing, match="admin"):
        keys.create_key(caller_for(person, Scope.WRITE), name="Wider", scope=Scope.ADMIN)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_key_has_a_name_of_1_to_60_characters(person: User, name: str) -> None:
    with pytest.raises(Invalid, match="1 to 60"):
        keys.create_key(caller_for(person), name=name, scope=Scope.READ)


def test_a_person_has_at_most_fifty_keys_that_open(person: User) -> None:
    ApiKey.objects.bulk_create(
        ApiKey(user=person, name="Old", scope="read", lookup=f"{number:08}", digest=bytes(32)) for number in range(50)
    )
    with pytest.raises(Conflict, match="Revoke one"):
        keys.create_key(caller_for(person), name="One more", scope=Scope.READ)
    ApiKey.objects.filter(lookup="00000007").update(revoked_at=timezone.now())
    assert keys.create_key(caller_for(person), name="One more", scope=Scope.READ).text


def test_every_change_of_a_key_is_audited_without_the_key(person: User) -> None:
    caller = caller_for(person, ip="192.0.2.7", request_id="r-1234567")
    made = keys.create_key(caller, name="Laptop", scope=Scope.READ)
    rotated = keys.rotate_key(caller, key_id=made.key.pk)
    keys.revoke_key(caller, key_id=rotated.key.pk)
    actions = ("api_key.create", "api_key.rotate", "api_key.revoke")
    entries = list(AuditEntry.objects.order_by("id").values_list("action", "user_id", "ip", "request_id"))
    assert entries == [(action, person.pk, "192.0.2.7", "r-1234567") for action in actions]
    written = str(list(AuditEntry.objects.values()))
    assert made.text not in written
    assert rotated.text not in written


def test_last_use_is_written_at_most_once_a_minute(person: User) -> None:
    key, _ = make_key(person)
    keys.touch(key.pk)
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    keys.touch(key.pk)
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(seconds=61))
    keys.touch(key.pk)
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert key.last_used_at >= first


@pytest.mark.django_db(transaction=True)
def test_noting_the_last_use_never_waits_for_another_writer() -> None:
    key, _ = make_key()
    with transaction.atomic():
        ApiKey.objects.select_for_update().get(pk=key.pk)
        (outcome,) = at_once(lambda: keys.touch(key.pk))
    assert outcome is None
    key.refresh_from_db()
    assert key.last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_one_wins() -> None:
    key, _ = make_key()
    caller = caller_for(key.user)
    outcomes = at_once(*[lambda: keys.rotate_key(caller, key_id=key.pk, overlap=timedelta(hours=1))] * 2)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NewKey"]
    assert ApiKey.objects.count() == 2
