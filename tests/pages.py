"""Pages as a browser without scripts gets them: for a member, who is signed in."""

import pytest
from django.test import Client

from accounts.caller import Caller
from accounts.models import Role, User
from tests.factories import MembershipFactory


@pytest.fixture
def person(db: None) -> User:
    """A member, who is no admin."""
    member: User = MembershipFactory(role=Role.MEMBER).user
    return member


@pytest.fixture
def browser(person: User) -> Client:
    return signed_in(person)


def signed_in(who: User | Caller) -> Client:
    browser = Client()
    browser.force_login(who if isinstance(who, User) else User.objects.get(pk=who.user_id))
    return browser


def session_of(person: User) -> str:
    return signed_in(person).cookies["sessionid"].value
