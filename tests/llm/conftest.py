"""What tests of models share: a provider on loopback, an organization that uses it, and people of it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Organization, Role
from llm.models import Kind, Provider
from tests.factories import MembershipFactory, OrganizationFactory, caller_for
from tests.fakes.model_provider import KEY, ModelProvider, model_provider


@pytest.fixture
def fake(settings: Settings) -> Iterator[ModelProvider]:
    settings.OUTBOUND_ALLOW_LOCAL = True
    with model_provider() as served:
        yield served


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
def openai(organization: Organization, fake: ModelProvider) -> Provider:
    return Provider.objects.create(
        organization=organization,
        name="main",
        kind=Kind.COMPATIBLE,
        base_url=fake.openai,
        api_key=KEY,
        default_model="gpt-5",
        is_default=True,
    )


@pytest.fixture
def google(organization: Organization, fake: ModelProvider) -> Provider:
    return Provider.objects.create(
        organization=organization,
        name="gemini",
        kind=Kind.GOOGLE,
        base_url=fake.google,
        api_key=KEY,
        default_model="gemini-2.5-flash",
    )


@pytest.fixture
def anthropic(organization: Organization, fake: ModelProvider) -> Provider:
    return Provider.objects.create(
        organization=organization,
        name="claude",
        kind=Kind.ANTHROPIC,
        base_url=fake.anthropic,
        api_key=KEY,
        default_model="claude-sonnet-4-6",
    )
