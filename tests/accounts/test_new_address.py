"""Signing in with another address: asked for with the password, confirmed by the link that was mailed to it."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.errors import Invalid, NotFound, Throttled
from accounts.models import AddressChange, User
from accounts.services import addresses, people
from security.models import AuditEntry
from tests.factories import PASSWORD, UserFactory, caller_for
from tests.threads import at_once

PROFILE = "/dashboard/settings/profile"
NEW = "new@example.com"


def ask(browser: Client, email: str = "New@Example.com", password: str = PASSWORD) -> Any:
    return browser.post(PROFILE, {"form": "address", "address-email": email, "address-current": password})


def link() -> str:
    """The way that the last mail to a new address names, on this host."""
    text = next(str(message.body) for message in reversed(mail.outbox) if "confirm it here" in message.body)
    found = re.search(r"http://\S+?(/dashboard/\S+)", text)
    assert found
    return found[1]


def change_of(person: User, email: str = NEW) -> AddressChange:
    return addresses.ask_for_address(caller_for(person), email=email, password=PASSWORD)


def test_an_address_changes_once_its_link_is_followed_and_the_old_one_is_told(
    signed_in: Client, person: User, mails_at_once: None
) -> None:
    old = person.email
    assert ask(signed_in).status_code == 302
    assert [message.to for message in mail.outbox] == [[NEW], [old]]
    person.refresh_from_db()
    assert person.email == old
    assert NEW in signed_in.get(PROFILE).content.decode()
    page = signed_in.get(link())
    assert f"Sign in as {NEW}?" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    person.refresh_from_db()
    assert person.email == old
    signed_in.post(link())
    person.refresh_from_db()
    assert person.email == NEW
    assert mail.outbox[-1].to == [old]
    assert NEW in mail.outbox[-1].body
    assert signed_in.get(link()).status_code == 404
    told = AuditEntry.objects.filter(user_id=person.pk).order_by("id").values_list("action", "detail")
    assert list(told) == [
        ("account.ask_for_email", {"from": old, "to": NEW}),
        ("account.change_email", {"from": old, "to": NEW}),
    ]


def test_an_address_is_asked_for_with_the_password_alone(signed_in: Client, person: User, mails_at_once: None) -> None:
    refused = ask(signed_in, password="wrong")
    assert refused.status_code == 422
    assert "not your current password" in refused.content.decode()
    assert not mail.outbox
    assert not AddressChange.objects.exists()


@pytest.mark.usefixtures("mails_at_once")
@pytest.mark.parametrize(
    "void",
    [
        lambda browser, person: ask(browser, "other@example.com"),
        lambda browser, person: browser.post(PROFILE, {"form": "keep-address"}),
        lambda browser, person: people.set_password(caller_for(person), person, "a harbour at night"),
        lambda browser, person: AddressChange.objects.update(asked_at=timezone.now() - timedelta(days=1)),
    ],
    ids=["another one is asked for", "the old one is kept", "the password is changed", "a day has gone"],
)
def test_a_link_is_void_when(signed_in: Client, person: User, void: Any) -> None:
    ask(signed_in)
    way = link()
    assert signed_in.get(way).status_code == 200
    void(signed_in, person)
    signed_in.force_login(User.objects.get(pk=person.pk))
    assert signed_in.get(way).status_code == 404
    assert signed_in.post(way).status_code == 404
    person.refresh_from_db()
    assert person.email != NEW


def test_a_link_is_for_the_person_who_asked(signed_in: Client, person: User, mails_at_once: None) -> None:
    ask(signed_in)
    stranger = Client()
    assert stranger.get(link())["Location"].startswith("/sign-in?next=")
    stranger.force_login(UserFactory())
    assert stranger.post(link()).status_code == 404
    assert AddressChange.objects.filter(user=person).exists()


@pytest.mark.parametrize("token", ["1", "x:y:z", "%00", "WzFd:1:2"])
def test_nobody_makes_a_link_of_their_own(signed_in: Client, person: User, token: str) -> None:
    change_of(person)
    assert signed_in.post(f"{PROFILE}/address/{token}").status_code == 404


def test_an_address_that_somebody_took_meanwhile_stays_theirs(
    signed_in: Client, person: User, mails_at_once: None
) -> None:
    ask(signed_in)
    UserFactory(email=NEW)
    answer = signed_in.post(link(), follow=True)
    assert people.TAKEN in answer.content.decode()
    person.refresh_from_db()
    assert person.email != NEW


def test_strangers_mailboxes_are_not_filled_and_addresses_not_tried_out(person: User) -> None:
    taken = UserFactory().email
    for _ in range(5):
        with pytest.raises(Invalid, match="already has"):
            change_of(person, taken)
    with pytest.raises(Throttled):
        change_of(person)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_confirm_one_address_at_once_one_has_it() -> None:
    people_asking = [UserFactory(), UserFactory()]
    tokens = [(person, addresses.link_token(change_of(person))) for person in people_asking]
    outcomes = at_once(
        *[lambda person=person, token=token: addresses.confirm_address(caller_for(person), token=token)
          for person, token in tokens]
    )  # fmt: skip
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "str"]
    assert User.objects.filter(email=NEW).count() == 1


def test_a_change_that_is_gone_mails_nobody(person: User) -> None:
    from accounts.tasks import mail_address_asked

    mail_address_asked(0)
    assert not mail.outbox
    with pytest.raises(NotFound):
        addresses.find_change(caller_for(person), "")
