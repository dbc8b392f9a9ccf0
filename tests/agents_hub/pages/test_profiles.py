"""The pages of browser profiles, as a browser without scripts uses them."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from agents_hub.models import Profile, ProfileCookie, ProfileCredential
from security.models import AuditEntry
from tests.agents_hub.factories import ProfileFactory, ProfilePoolFactory
from tests.agents_hub.pages.profiles import CUSTOM, SECRETS, whole
from tests.factories import MembershipFactory, OrganizationFactory

pytestmark = pytest.mark.django_db


def test_a_profile_is_created_with_all_its_fields(browser: Client, person: User) -> None:
    fields = {
        "description": "Buys rope",
        "proxy_mode": "managed",
        "proxy_type": "mobile",
        "proxy_cc": "fi",
        "operating_system": "windows",
        "inbox_email_prefix": "rope",
        "tracing_enabled": None,
    }
    switches = ["captcha_solver_active", "sticky_ip", "extra_stealth", "cache_persistence", "adblock_active"]
    switches += ["popup_blocker_active", "media_blocker_active", "pdf_viewer_active"]
    answer = browser.post(reverse("agents:create-profile"), whole(**fields, **dict.fromkeys(switches, "on")))
    row = Profile.objects.get()
    assert answer.headers["Location"] == reverse("agents:profile", args=[row.pk])
    assert row.created_by == person
    kept = {name: getattr(row, name) for name in ("name", "description", "proxy_mode", "proxy_type", "proxy_country")}
    assert kept == {
        "name": "Buyer",
        "description": "Buys rope",
        "proxy_mode": "managed",
        "proxy_type": "mobile",
        "proxy_country": "fi",
    }
    assert (row.operating_system, row.inbox_prefix) == ("windows", "rope")
    on = [row.captcha_solver, row.sticky_ip, row.extra_stealth, row.cache_persistence, row.adblock, row.popup_blocker]
    assert all([*on, row.media_blocker, row.pdf_viewer, row.popups_as_tabs])
    assert not row.tracing
    shown = browser.get(reverse("agents:profile", args=[row.pk])).text
    assert "Managed, mobile, Finland" in shown
    assert "Solve captchas" in shown


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "Shopper"}, "name"),
        ({"proxy_mode": "managed"}, "proxy_type"),
        ({"proxy_mode": "custom"}, "proxy_server"),
        ({**CUSTOM, "proxy_password": ""}, "proxy_password"),
        ({"proxy_mode": "tailscale"}, "tailscale_auth_key"),
        ({"proxy_mode": "gateway"}, "proxy_gateway_preset_id"),
        ({"captcha_solver_active": "on"}, "captcha_solver_active"),
        ({"sticky_ip": "on"}, "sticky_ip"),
        ({"popup_blocker_active": "on"}, "popup_blocker_active"),
        ({"inbox_email_prefix": "Not@This"}, "inbox_email_prefix"),
        ({"inbox_email_prefix": "taken"}, "inbox_email_prefix"),
        ({"proxy_mode": "magic"}, "proxy_mode"),
    ],
)
def test_a_broken_rule_is_said_under_its_field_and_what_was_typed_stays(
    browser: Client, profile: Profile, fields: dict[str, object], field: str
) -> None:
    Profile.objects.filter(pk=profile.pk).update(inbox_prefix="taken")
    answer = browser.post(reverse("agents:create-profile"), whole(description="Kept as typed", **fields))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    page = answer.text
    assert f'id="id_{field}_error"' in page
    assert "Kept as typed" in page
    # The contract's spelling is for programs.
    assert not any(word in page for word in ("proxyType", "customProxy", "stickyIP", "adblockActive", "proxyMode"))
    assert Profile.objects.count() == 1


def test_an_edit_changes_what_was_changed_and_keeps_secrets_that_were_not_typed(browser: Client, person: User) -> None:
    browser.post(reverse("agents:create-profile"), whole(**CUSTOM))
    row = Profile.objects.get()
    address = reverse("agents:edit-profile", args=[row.pk])
    form = browser.get(address).text
    assert "[REDACTED]" in form
    assert SECRETS[0] not in form
    without = {**CUSTOM, "proxy_password": ""}
    assert browser.post(address, whole(**without | {"proxy_username": "other"}, name="Renamed")).status_code == 302
    row.refresh_from_db()
    assert (row.name, row.proxy_username, row.proxy_password) == ("Renamed", "other", SECRETS[0])
    changed = AuditEntry.objects.filter(action="profile.update").latest("pk").detail["changed"]
    assert changed == ["custom_proxy", "name"]
    moved = browser.post(address, whole(**without | {"proxy_server": "elsewhere.example:1"}, name="Renamed"))
    assert list(moved.context["form"].errors) == ["proxy_password"]
    emptied = browser.post(address, whole(**without | {"proxy_server": ""}, name="Renamed"))
    assert list(emptied.context["form"].errors) == ["proxy_server"]
    browser.post(address, whole(**CUSTOM | {"proxy_password": "another"}, name="Renamed"))
    row.refresh_from_db()
    assert row.proxy_password == "another"
    assert browser.post(address, whole(name="Renamed", proxy_mode="none")).status_code == 302
    row.refresh_from_db()
    assert row.proxy_mode == "none"


def test_a_profile_is_duplicated_into_an_organization_of_ones_own(
    browser: Client, person: User, profile: Profile
) -> None:
    address = reverse("agents:duplicate-profile", args=[profile.pk])
    other = MembershipFactory(user=person).organization
    assert browser.post(address, {"organization": str(OrganizationFactory().uid)}).status_code == 422
    browser.post(address, {"organization": str(profile.organization.uid)})
    browser.post(address, {"organization": str(other.uid)})
    names = Profile.objects.exclude(pk=profile.pk).values_list("organization_id", "name")
    assert set(names) == {(profile.organization_id, "Shopper (copy)"), (other.pk, "Shopper")}


def test_clearing_the_cache_is_asked_about_and_deleting_takes_the_name(browser: Client, profile: Profile) -> None:
    clear = reverse("agents:clear-cache", args=[profile.pk])
    assert "will be gone" in browser.get(clear).text
    profile.refresh_from_db()
    assert profile.cache_generation == 0
    assert "is cleared" in browser.post(clear, follow=True).text
    profile.refresh_from_db()
    assert profile.cache_generation == 1
    assert profile.cache_cleared_at
    delete = reverse("agents:delete-profile", args=[profile.pk])
    assert browser.post(delete, {"name": "shopper"}).status_code == 422
    assert browser.post(delete, {"name": "Shopper"}).status_code == 302
    assert not Profile.objects.exists()


def test_the_list_is_searched_filtered_and_sorted(browser: Client, person: User) -> None:
    organization = person.organizations.get()
    assert "No profiles yet" in browser.get(reverse("agents:profiles")).text
    for name, mode in (("Beech", "none"), ("Ash", "gateway"), ("Cedar", "none")):
        ProfileFactory(organization=organization, name=name, proxy_mode=mode)
    ProfileFactory(name="Another's")

    def listed(query: str) -> list[str]:
        return [row.name for row in browser.get(f"{reverse('agents:profiles')}?{query}").context["page"].rows]

    assert listed("") == ["Ash", "Beech", "Cedar"]
    assert listed("sort=-name") == ["Cedar", "Beech", "Ash"]
    assert listed("sort=-created_at") == ["Cedar", "Ash", "Beech"]
    assert listed("sort=created_at&proxy=none") == ["Beech", "Cedar"]
    assert listed("search=E&proxy=none") == ["Beech", "Cedar"]
    assert listed("search=another") == []
    assert "No profile matches" in browser.get(f"{reverse('agents:profiles')}?search=zzz").text


def test_the_list_takes_as_many_queries_for_ten_profiles_as_for_one(
    browser: Client, profile: Profile, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser.get(reverse("agents:profiles"))
    with django_assert_num_queries(7) as one:
        browser.get(reverse("agents:profiles"))
    for number in range(9):
        row = ProfileFactory(organization=profile.organization)
        ProfileCredential.objects.create(profile=row, name="A", value="x")
        ProfileCookie.objects.create(profile=row, name=f"c{number}", key="c", value="v", domain="d.example")
    with django_assert_num_queries(len(one)):
        browser.get(reverse("agents:profiles"))


def test_a_profile_tells_what_happened_to_it_newest_first(browser: Client, profile: Profile) -> None:
    browser.post(reverse("agents:add-credential", args=[profile.pk]), {"name": "key", "secret": "x"})
    pool = ProfilePoolFactory(organization=profile.organization, name="Portals")
    browser.post(reverse("agents:add-members", args=[pool.pk]), {"profile": str(profile.pk)})
    browser.post(reverse("agents:clear-cache", args=[profile.pk]))
    page = browser.get(reverse("agents:profile", args=[profile.pk]))
    history = page.context["history"]
    who = page.context["user"].name
    assert [(one.what, one.name) for one in history] == [
        ("Browser cache cleared", who),
        ("Joined the pool", "Portals"),
        ("Added credential KEY", who),
        ("Created by", ""),
    ]
    shown = browser.get(reverse("dashboard:audit"), query_params={"target": f"profile:{profile.pk}"}).text
    assert shown.count("profile.update") == 1
    assert "profile_pool.add" not in shown


def test_the_jump_list_finds_profiles_of_ones_own_organizations_alone(browser: Client, profile: Profile) -> None:
    ProfileFactory(name="Shopper of theirs")
    found = browser.get(reverse("dashboard:jump"), {"q": "shop"}).text
    assert reverse("agents:profile", args=[profile.pk]) in found
    assert "of theirs" not in found
