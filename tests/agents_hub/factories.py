"""Rows of agents for tests: each factory makes the least that is valid."""

import factory

from accounts.models import Membership, Organization, User
from agents_hub.models import Agent, Profile, ProfilePool, SharedFile
from tests.factories import MembershipFactory, OrganizationFactory


class AgentFactory(factory.django.DjangoModelFactory[Agent]):
    class Meta:
        model = Agent

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Agent {number}")


class SharedFileFactory(factory.django.DjangoModelFactory[SharedFile]):
    """A row alone: there is no content where it says."""

    class Meta:
        model = SharedFile

    agent = factory.SubFactory(AgentFactory)
    name = factory.Sequence(lambda number: f"file {number}.txt")
    mime_type = "text/plain"
    size = 7
    sha256 = "0" * 64
    storage_name = factory.LazyAttribute(lambda row: f"{row.agent.pk}/{row.name}")


class ProfileFactory(factory.django.DjangoModelFactory[Profile]):
    class Meta:
        model = Profile

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Profile {number}")


class ProfilePoolFactory(factory.django.DjangoModelFactory[ProfilePool]):
    class Meta:
        model = ProfilePool

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Pool {number}")


def member_of(organization: Organization) -> User:
    membership: Membership = MembershipFactory(organization=organization)
    return membership.user
