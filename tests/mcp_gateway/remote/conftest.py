"""What the tests of remote servers share: an organization with an admin and a member, and a stranger to it."""

from collections.abc import Iterator

import pytest

from accounts.caller import Caller
from accounts.models import Organization, Role
from tests.factories import MembershipFactory, OrganizationFactory, caller_for
from tests.fakes.identity_provider import IdentityProvider, served_identity_provider


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


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A token endpoint of somebody else's, strict and on loopback."""
    with served_identity_provider() as served:
        yield served
