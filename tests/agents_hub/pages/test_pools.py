"""The pages of pools of profiles, as a browser without scripts uses them."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agents_hub.models import PoolMembership, Profile, ProfilePool
from agents_hub.models.pools import SelectionStrategy
from agents_hub.services.pools import pick_profile
from agents_hub.services.surveys import page_in_turn
from tests.agents_hub.factories import ProfileFactory, ProfilePoolFactory
from tests.factories import caller_for
from tests.query_plans import plans

pytestmark = pytest.mark.django_db


def test_a_pool_is_created_filled_emptied_changed_and_deleted(browser: Client, profile: Profile) -> None:
    assert "No pools yet" in browser.get(reverse("agents:pools")).text
    create = reverse("agents:create-pool")
    assert browser.post(create, {"name": "", "selection_strategy": "random"}).status_code == 422
    sent = {"name": "Portals", "selection_strategy": "most_recently_used", "allow_concurrent_use": "on"}
    browser.post(create, sent)
    pool = ProfilePool.objects.get()
    assert (pool.selection_strategy, pool.allow_concurrent_use) == ("most_recently_used", True)
    assert "already" in browser.post(create, sent).text
    add = reverse("agents:add-members", args=[pool.pk])
    assert "Shopper" in browser.get(add).text
    assert browser.post(add, {"profile": "nonsense"}).status_code == 422
    browser.post(add, {"profile": str(profile.pk)})
    assert list(pool.profiles.all()) == [profile]
    assert "No profiles left" in browser.get(add).text
    browser.post(reverse("agents:edit-pool", args=[pool.pk]), sent | {"name": "Doors", "allow_concurrent_use": ""})
    pool.refresh_from_db()
    assert (pool.name, pool.allow_concurrent_use) == ("Doors", False)
    browser.post(reverse("agents:remove-member", args=[pool.pk]), {"profile": str(profile.pk)})
    assert not pool.profiles.exists()
    delete = reverse("agents:delete-pool", args=[pool.pk])
    assert browser.post(delete, {"name": "Portals"}).status_code == 422
    browser.post(delete, {"name": "Doors"})
    assert not ProfilePool.objects.exists()
    assert Profile.objects.filter(pk=profile.pk).exists()


@pytest.mark.parametrize(
    ("strategy", "turns"), [("least_recently_used", ["c", "a", "b"]), ("most_recently_used", ["b", "a", "c"])]
)
def test_a_pool_shows_whose_turn_it_is(browser: Client, person: User, strategy: str, turns: list[str]) -> None:
    organization = person.organizations.get()
    pool = ProfilePoolFactory(organization=organization, selection_strategy="least_recently_used")
    for name in "abc":
        PoolMembership.objects.create(pool=pool, profile=ProfileFactory(organization=organization, name=name))
    for _ in "ab":
        pick_profile(pool)
    ProfilePool.objects.filter(pk=pool.pk).update(selection_strategy=strategy)
    pool.refresh_from_db()
    answer = browser.get(reverse("agents:pool", args=[pool.pk]))
    assert [one.profile.name for one in answer.context["page"].rows] == turns
    first = answer.text.split("Next</span>")[0]
    assert f">{turns[0]}</a>" in first
    assert f">{turns[1]}</a>" not in first
    assert pick_profile(pool).name == turns[0]


@pytest.mark.parametrize("strategy", SelectionStrategy)
def test_whose_turn_it_is_comes_from_the_index(person: User, strategy: str) -> None:
    organization = person.organizations.get()
    pool = ProfilePoolFactory(organization=organization, selection_strategy=strategy)
    PoolMembership.objects.create(pool=pool, profile=ProfileFactory(organization=organization))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    with plans("agents_hub_poolmembership") as found:
        page_in_turn(caller_for(person), pool_id=pool.pk)
    _, rows = found
    assert "pool_by_turn" in rows
    # Those never used stand together in the index; within them the ids of the other strategy are sorted.
    assert ("Sort" in rows) == (strategy == SelectionStrategy.MOST_RECENTLY_USED)
