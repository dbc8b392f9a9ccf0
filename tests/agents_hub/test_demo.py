"""The demo data of agents: made once, through the rules that hold for everybody."""

import pytest

from accounts.models import User
from agents_hub import demo
from agents_hub.models import Agent, PoolMembership, Profile, SharedFile
from tests.agents_hub.factories import member_of
from tests.factories import OrganizationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    return member_of(OrganizationFactory())


def test_a_first_start_has_agents_and_a_profile_in_a_pool(owner: User) -> None:
    made = demo.fill(owner)
    assert {agent.name for agent in made} == set(demo.AGENTS)
    profile = Profile.objects.get()
    assert [row.name for row in profile.credentials.all()] == ["PORTAL_PASSWORD"]
    assert profile.cookies.count() == 1
    assert PoolMembership.objects.get().profile == profile
    assert [(file.agent, file.name) for file in SharedFile.objects.all()] == [(made[0], "suppliers.csv")]


def test_filling_again_adds_nothing(owner: User) -> None:
    demo.fill(owner)
    assert demo.fill(owner) == []
    assert (Agent.objects.count(), Profile.objects.count()) == (len(demo.AGENTS), 1)


def test_somebody_without_an_organization_gets_none() -> None:
    assert demo.fill(UserFactory()) == []
