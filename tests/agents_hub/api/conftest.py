"""What the tests of the REST API share."""

import pytest

from accounts.models import Organization, User
from tests.agents_hub.api.door import Rest, rest
from tests.agents_hub.factories import member_of
from tests.factories import OrganizationFactory


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory()


@pytest.fixture
def person(organization: Organization) -> User:
    return member_of(organization)


@pytest.fixture
def api(person: User) -> Rest:
    """A key of the person with the scope write."""
    return rest(person)
