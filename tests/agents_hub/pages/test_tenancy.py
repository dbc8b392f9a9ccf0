"""Another organization's profiles and pools have no pages, and take part in nothing of one's own."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agents_hub.models import PoolMembership, Profile, ProfileCookie, ProfileCredential
from tests.agents_hub.factories import ProfileFactory, ProfilePoolFactory
from tests.agents_hub.pages.profiles import PROFILE_PAGES

pytestmark = pytest.mark.django_db
POOL_PAGES = ("pool", "edit-pool", "delete-pool", "add-members")


@pytest.mark.parametrize("page", [*PROFILE_PAGES, *POOL_PAGES])
def test_another_organizations_profiles_and_pools_have_no_pages(browser: Client, page: str) -> None:
    theirs = ProfileFactory() if page in PROFILE_PAGES else ProfilePoolFactory()
    address = reverse(f"agents:{page}", args=[theirs.pk])
    assert browser.get(address).status_code == 404
    assert browser.post(address, {"name": theirs.name, "profile": str(theirs.pk)}).status_code in {404, 405}
    assert type(theirs).objects.filter(pk=theirs.pk).exists()


def test_a_part_is_found_under_its_own_profile_alone(browser: Client, profile: Profile) -> None:
    theirs = ProfileFactory()
    rows = [theirs, ProfileFactory(organization=profile.organization)]
    for row in rows:
        credential = ProfileCredential.objects.create(profile=row, name="A", value="x")
        cookie = ProfileCookie.objects.create(profile=row, name="c", key="c", value="v", domain="d.example")
        for page, part in (
            ("replace-credential", credential),
            ("delete-credential", credential),
            ("delete-cookie", cookie),
        ):
            address = reverse(f"agents:{page}", args=[profile.pk, part.pk])
            assert browser.get(address).status_code == 404
            assert browser.post(address, {"name": part.name, "secret": "stolen"}).status_code == 404
    assert {one.value for one in ProfileCredential.objects.all()} == {"x"}
    assert ProfileCookie.objects.count() == 2


def test_another_organizations_profile_joins_no_pool(browser: Client, person: User) -> None:
    pool = ProfilePoolFactory(organization=person.organizations.get())
    theirs = ProfileFactory()
    address = reverse("agents:add-members", args=[pool.pk])
    assert theirs.name not in browser.get(address).text
    assert browser.post(address, {"profile": str(theirs.pk)}).status_code == 404
    assert not PoolMembership.objects.exists()
