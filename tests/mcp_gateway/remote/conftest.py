"""What the tests of remote servers share: an organization with an admin and a member, and a stranger to it."""

import pytest

from accounts.caller import Caller
from accounts.models import Organization, Role
from tests.factories import MembershipFactory, OrganizationFactory, caller_for


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory(name="Lantern")


@pytest.fixture
def admin(organization: Organization) -> Caller:
    return caller_for(MembershipFactory(organization=organization, role=Role.ADMIN).user)


@pytest.fixture
def member(organization: Organization) -> Caller:
    return caller_for(MembershipFactory(organization=organization).user)


@pytest.fixture
def stranger(db: None) -> Caller:
    """An admin, of another organization."""
    return caller_for(MembershipFactory(role=Role.ADMIN).user)
