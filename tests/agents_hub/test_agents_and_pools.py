"""Agents and pools: pages, names, tenancy, and whose turn it is."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.errors import Conflict, NotFound
from agents_hub.models import Agent, PoolMembership, ProfilePool
from agents_hub.services import agents, pools
from agents_hub.shapes.agents import AgentShape
from tests.agents_hub.factories import AgentFactory, ProfileFactory, ProfilePoolFactory, member_of
from tests.factories import OrganizationFactory, caller_for
from tests.threads import SECONDS, at_once, meanwhile, until_one_waits_for_a_lock

pytestmark = pytest.mark.django_db


def test_agents_are_listed_by_page_in_the_order_asked_for() -> None:
    organization = OrganizationFactory()
    for name in ("beta", "alpha", "delta", "gamma"):
        AgentFactory(organization=organization, name=name)
    AgentFactory(name="foreign")
    caller = caller_for(member_of(organization))
    first = agents.list_agents(caller, sort_field="name", sort_direction="asc", page=1, page_size=3)
    second = agents.list_agents(caller, sort_field="name", sort_direction="asc", page=2, page_size=3)
    assert [agent.name for agent in first.rows + second.rows] == ["alpha", "beta", "delta", "gamma"]
    assert first.total == 4
    assert [agent.name for agent in agents.list_agents(caller, search_name="ELT").rows] == ["delta"]


def test_listing_costs_the_same_queries_for_more_agents() -> None:
    organization = OrganizationFactory()
    caller = caller_for(member_of(organization))

    def queries(size: int) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page = agents.list_agents(caller, page_size=size)
            assert len([AgentShape.of(agent) for agent in page.rows]) == size
        return len(captured)

    for _ in range(20):
        AgentFactory(organization=organization)
    assert queries(1) == queries(20)


def test_another_organization_cannot_be_listed_or_created_in() -> None:
    caller, foreign = caller_for(member_of(OrganizationFactory())), OrganizationFactory()
    with pytest.raises(NotFound):
        agents.list_agents(caller, organization_id=foreign.uid)
    with pytest.raises(NotFound):
        agents.create_agent(caller, organization_id=foreign.uid, name="Spy")
    assert not Agent.objects.exists()


def test_an_agents_name_is_taken_once_in_its_organization() -> None:
    organization = OrganizationFactory()
    caller = caller_for(member_of(organization))
    agents.create_agent(caller, organization_id=organization.uid, name="Clerk")
    with pytest.raises(Conflict) as refused:
        agents.create_agent(caller, organization_id=organization.uid, name=" Clerk ")
    assert refused.value.code == "name_taken"


def test_profiles_of_another_organization_do_not_join_a_pool() -> None:
    pool = ProfilePoolFactory()
    own, foreign = ProfileFactory(organization=pool.organization), ProfileFactory()
    with pytest.raises(NotFound, match="Nothing was added"):
        pools.add_members(caller_for(member_of(pool.organization)), pool_id=pool.pk, profile_ids=[own.pk, foreign.pk])
    assert not PoolMembership.objects.exists()


@pytest.mark.parametrize(
    ("strategy", "expected"), [("least_recently_used", "abcabc"), ("most_recently_used", "aaaaaa")]
)
def test_turns_follow_the_strategy(strategy: str, expected: str) -> None:
    pool = ProfilePoolFactory(selection_strategy=strategy, allow_concurrent_use=True)
    for name in "abc":
        PoolMembership.objects.create(pool=pool, profile=ProfileFactory(organization=pool.organization, name=name))
    assert "".join(pools.pick_profile(pool).name for _ in expected) == expected


def test_a_profile_in_use_is_passed_over_and_a_pool_without_a_free_one_says_so() -> None:
    pool = ProfilePoolFactory()
    profile = ProfileFactory(organization=pool.organization)
    PoolMembership.objects.create(pool=pool, profile=profile)
    with pytest.raises(Conflict) as refused:
        pools.pick_profile(pool, in_use=[profile.pk])
    assert refused.value.code == "pool_busy"


@pytest.mark.django_db(transaction=True)
def test_two_who_pick_at_the_same_moment_are_given_two_profiles() -> None:
    pool = ProfilePoolFactory()
    for _ in range(4):
        PoolMembership.objects.create(pool=pool, profile=ProfileFactory(organization=pool.organization))

    def pick() -> Any:
        return pools.pick_profile(pool).pk

    picked = at_once(pick, pick, pick, pick)
    assert len(set(picked)) == 4


@pytest.mark.django_db(transaction=True)
def test_two_who_change_a_pool_at_the_same_moment_both_have_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ProfilePoolFactory()
    caller = caller_for(member_of(pool.organization))
    save, holds = pools._save, threading.Event()

    def save_slowly(row: ProfilePool) -> None:
        if not holds.is_set():
            holds.set()
            until_one_waits_for_a_lock()
        save(row)

    monkeypatch.setattr(pools, "_save", save_slowly)
    with meanwhile(lambda: pools.update_pool(caller, pool_id=pool.pk, name="Renamed")):
        assert holds.wait(SECONDS)
        pools.update_pool(caller, pool_id=pool.pk, allow_concurrent_use=True)
    pool.refresh_from_db()
    assert (pool.name, pool.allow_concurrent_use) == ("Renamed", True)
