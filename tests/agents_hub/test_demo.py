"""The demo data of agents: made once, through the rules that hold for everybody."""

import pytest
from pytest_django import Settings

from accounts.models import User
from agents_hub import demo
from agents_hub.models import Agent, PoolMembership, Profile, SharedFile
from tests.agents_hub.chat.talks import Talk
from tests.agents_hub.factories import member_of
from tests.bots.factories import BotFactory
from tests.factories import OrganizationFactory, UserFactory, caller_for

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


def test_everybody_in_the_organization_can_talk_to_the_harbour_desk_at_once(owner: User, settings: Settings) -> None:
    settings.QUICK_THREADS = 0
    bot = BotFactory(owner=owner)
    demo.fill(owner)
    desk = Agent.objects.get(name=demo.RELEASED)
    assert [row.subject for row in desk.subjects.all()] == [str(bot.pk)]
    assert desk.conversation_starters
    answer = Talk.begin(caller_for(owner), desk).say(desk.conversation_starters[0])
    assert answer.status == "completed"
    assert "This is a demonstration" in answer.answer.text
    assert [use.title for use in answer.tool_uses.filter(status="done")] == ["List tickets"]
    member = member_of(desk.organization)
    assert Agent.objects.to_talk_to(caller_for(member)).get() == desk
