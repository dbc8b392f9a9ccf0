"""What tests of models share: a provider on loopback, an organization that uses it, and people of it."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Organization, Role
from llm.models import Kind, Provider
from tests.factories import MembershipFactory, OrganizationFactory, caller_for
from tests.fakes.model_provider import ModelProvider, model_provider
from tests.llm.rows import provider_row


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
    return provider_row(organization, fake)


@pytest.fixture
def google(organization: Organization, fake: ModelProvider) -> Provider:
    return provider_row(organization, fake, Kind.GOOGLE)


@pytest.fixture
def anthropic(organization: Organization, fake: ModelProvider) -> Provider:
    return provider_row(organization, fake, Kind.ANTHROPIC)


@pytest.fixture
def providers(openai: Provider, anthropic: Provider, google: Provider) -> list[Provider]:
    """One of each kind: main, which is the default, claude and gemini."""
    return [openai, anthropic, google]
