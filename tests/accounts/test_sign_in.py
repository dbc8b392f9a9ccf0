"""Signing in and getting back in: who may, how often, and what an outsider can learn from it."""

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher

from accounts.caller import Caller, Door
from accounts.errors import Invalid, Throttled
from accounts.models import Membership, User
from accounts.scopes import Scope
from accounts.services.sign_in import ask_for_reset, sign_in
from security.models import AuditEntry, ThrottleCounter
from tests.factories import PASSWORD, UserFactory
from tests.threads import at_once


def visitor(ip: str = "192.0.2.1") -> Caller:
    return Caller(user_id=0, scope=Scope.READ, door=Door.PAGE, ip=ip)


def test_one_signs_in_however_the_address_is_typed(person: User) -> None:
    assert sign_in(visitor(), email=f"  {person.email.upper()} ", password=PASSWORD) == person


def test_one_mailbox_is_one_person_however_it_is_written(person: User) -> None:
    assert UserFactory(email="Ada@Example.COM").email == "ada@example.com"
    assert User.objects.get(email="ADA@example.com").email == "ada@example.com"


@pytest.mark.parametrize("known", [True, False])
def test_a_wrong_password_and_an_unknown_address_are_answered_alike(person: User, known: bool) -> None:
    email = person.email if known else "nobody@example.com"
    with pytest.raises(Invalid) as refusal:
        sign_in(visitor(), email=email, password="wrong")
    assert refusal.value.code == "wrong_credentials"
    assert refusal.value.message.startswith("E-mail address and password do not belong together.")


@pytest.mark.parametrize("who", ["known", "unknown", "inactive"])
def test_a_refusal_hashes_one_password_whoever_is_asked_for(
    person: User, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    UserFactory(email="gone@example.com", is_active=False)
    hashed: list[str] = []
    real = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    email = {"known": person.email, "unknown": "nobody@example.com", "inactive": "gone@example.com"}[who]
    with pytest.raises(Invalid):
        sign_in(visitor(), email=email, password="wrong")
    assert hashed == ["wrong"]


def test_an_account_is_tried_ten_times_in_a_quarter_of_an_hour_even_with_the_right_password(person: User) -> None:
    for number in range(10):
        with pytest.raises(Invalid):
            sign_in(visitor(f"192.0.2.{number}"), email=person.email, password="wrong")
    with pytest.raises(Throttled, match="Try again in 15 minutes") as refusal:
        sign_in(visitor("192.0.2.99"), email=person.email, password=PASSWORD)
    assert 0 < refusal.value.data["retry_after"] <= 900


def test_an_address_tries_thirty_accounts_and_no_more(db: None) -> None:
    for number in range(30):
        with pytest.raises(Invalid):
            sign_in(visitor("2001:db8::1"), email=f"guess{number}@example.com", password="wrong")
    with pytest.raises(Throttled):
        sign_in(visitor("2001:db8::ffff"), email="another@example.com", password="wrong")


def test_a_success_clears_the_accounts_counter(person: User) -> None:
    for _ in range(2):
        for _ in range(9):
            with pytest.raises(Invalid):
                sign_in(visitor(f"192.0.2.{_}"), email=person.email, password="wrong")
        assert sign_in(visitor("192.0.2.50"), email=person.email, password=PASSWORD) == person


@pytest.mark.django_db(transaction=True)
def test_attempts_from_many_connections_at_once_are_all_counted() -> None:
    person = UserFactory()

    def attempt() -> Any:
        return sign_in(visitor(), email=person.email, password="wrong")

    outcomes = [type(outcome).__name__ for _ in range(2) for outcome in at_once(*[attempt] * 8)]
    assert sorted(outcomes) == ["Invalid"] * 10 + ["Throttled"] * 6


def test_the_counters_hold_no_address_in_clear(person: User) -> None:
    with pytest.raises(Invalid):
        sign_in(visitor("192.0.2.77"), email=person.email, password="wrong")
    kept = " ".join(ThrottleCounter.objects.values_list("key", flat=True))
    assert kept
    assert "192.0.2.77" not in kept
    assert person.email not in kept


def test_sign_ins_are_audited_with_their_outcome_and_without_the_password(person: User) -> None:
    with pytest.raises(Invalid):
        sign_in(visitor(), email=person.email, password="not this one")
    sign_in(visitor(), email=person.email, password=PASSWORD)
    entries = AuditEntry.objects.filter(action="sign_in").order_by("id")
    assert list(entries.values_list("outcome", "user_id")) == [("refused", person.pk), ("ok", person.pk)]
    assert "not this one" not in str(list(entries.values()))


def test_somebody_made_at_the_command_line_gets_what_everybody_has_at_their_first_sign_in(db: None) -> None:
    operator = User.objects.create_superuser("root@example.com", PASSWORD)
    sign_in(visitor(), email="root@example.com", password=PASSWORD)
    sign_in(visitor(), email="root@example.com", password=PASSWORD)
    assert operator.subscription.plan.code == "FREE"
    assert Membership.objects.get(user=operator).is_admin


def test_a_reset_is_for_active_people_and_costs_the_same_queries_for_nobody(
    person: User, django_assert_num_queries: Any
) -> None:
    UserFactory(email="gone@example.com", is_active=False)
    assert ask_for_reset(visitor(), email=person.email) == person.pk
    costs = []
    for email in (UserFactory().email, "nobody@example.com", "gone@example.com"):
        with django_assert_num_queries(6, exact=False) as queries:
            ask_for_reset(visitor(), email=email)
        costs.append(len(queries))
    assert len(set(costs)) == 1
    assert ask_for_reset(visitor(), email="gone@example.com") == 0


def test_an_account_is_sent_three_resets_an_hour(person: User) -> None:
    for number in range(3):
        ask_for_reset(visitor(f"192.0.2.{number}"), email=person.email)
    with pytest.raises(Throttled):
        ask_for_reset(visitor("192.0.2.9"), email=person.email)
