"""What tests of pages share: a member, whom profiles are for as much as for admins, and a profile of theirs."""

import pytest

from accounts.models import User
from agents_hub.models import Profile
from tests.agents_hub.factories import ProfileFactory
from tests.pages import browser, person

__all__ = ["browser", "person"]


@pytest.fixture
def profile(person: User) -> Profile:
    made: Profile = ProfileFactory(organization=person.organizations.get(), name="Shopper")
    return made
