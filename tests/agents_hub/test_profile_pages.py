"""The pages of browser profiles and their pools, as a browser without scripts uses them."""

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from agents_hub.models import PoolMembership, Profile, ProfileCookie, ProfileCredential, ProfilePool
from agents_hub.models.pools import SelectionStrategy
from agents_hub.services.pools import pick_profile
from agents_hub.services.surveys import page_in_turn
from security.models import AuditEntry
from tests.agents_hub.factories import ProfileFactory, ProfilePoolFactory
from tests.factories import MembershipFactory, OrganizationFactory, caller_for
from tests.pages import signed_in
from tests.query_plans import plans

pytestmark = pytest.mark.django_db

SECRETS = ("proxy-pass-1", "tail-key-1", "hunter2-value", "cookie-value-1")


@pytest.fixture
def person() -> User:
    """A member, who is no admin: profiles are for all who belong to an organization."""
    person: User = MembershipFactory(role=Role.MEMBER).user
    return person


@pytest.fixture
def browser(person: User) -> Client:
    return signed_in(person)


@pytest.fixture
def profile(person: User) -> Profile:
    made: Profile = ProfileFactory(organization=person.organizations.get(), name="Shopper")
    return made


def whole(**fields: object) -> dict[str, object]:
    """What a browser sends of the form as it comes, with `fields` filled in; what is unticked it leaves out."""
    sent: dict[str, object] = {"name": "Buyer", "proxy_mode": "none"}
    sent |= {"force_popups_as_tabs_active": "on", "tracing_enabled": "on"}
    return {name: value for name, value in (sent | fields).items() if value is not None}


CUSTOM = {"proxy_mode": "custom", "proxy_server": "p.example:8080", "proxy_username": "u", "proxy_password": SECRETS[0]}


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


def test_a_secret_typed_into_a_refused_form_is_asked_for_again_and_not_sent_back(browser: Client) -> None:
    page = browser.post(reverse("agents:create-profile"), whole(**CUSTOM, name="")).text
    assert "Type it again" in page
    assert SECRETS[0] not in page
    assert "p.example:8080" in page


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


def test_credentials_are_added_replaced_and_deleted_and_never_shown(browser: Client, profile: Profile) -> None:
    add = reverse("agents:add-credential", args=[profile.pk])
    assert browser.post(add, {"name": "portal", "secret": SECRETS[2]}).status_code == 302
    credential = ProfileCredential.objects.get()
    assert (credential.name, credential.value) == ("PORTAL", SECRETS[2])
    again = browser.post(add, {"name": "Portal", "secret": SECRETS[2]})
    assert (again.status_code, list(again.context["form"].errors)) == (422, ["name"])
    assert SECRETS[2] not in again.text
    assert browser.post(add, {"name": "Other", "secret": ""}).status_code == 422
    replace = reverse("agents:replace-credential", args=[profile.pk, credential.pk])
    assert SECRETS[2] not in browser.get(replace).text
    browser.post(replace, {"secret": "new value"})
    assert ProfileCredential.objects.get().value == "new value"
    delete = reverse("agents:delete-credential", args=[profile.pk, credential.pk])
    assert browser.post(delete, {"name": "portal"}).status_code == 422
    assert browser.post(delete, {"name": "PORTAL"}).status_code == 302
    assert not ProfileCredential.objects.exists()


def test_cookies_are_added_and_deleted(browser: Client, profile: Profile) -> None:
    add = reverse("agents:add-cookie", args=[profile.pk])
    sent = {"name": "Language", "key": "lang", "value": SECRETS[3], "domain": "d.example", "same_site": "Strict"}
    assert browser.post(add, sent | {"expiry": "2031-02-03T04:05", "secure": "on"}).status_code == 302
    cookie = ProfileCookie.objects.get()
    assert (cookie.value, cookie.same_site, cookie.secure, cookie.http_only) == (SECRETS[3], "Strict", True, False)
    assert cookie.expiry
    assert cookie.expiry.isoformat() == "2031-02-03T04:05:00+00:00"
    assert browser.post(add, sent | {"domain": ""}).status_code == 422
    delete = reverse("agents:delete-cookie", args=[profile.pk, cookie.pk])
    assert browser.post(delete, {"name": "Language"}).status_code == 302
    assert not ProfileCookie.objects.exists()


def test_no_page_of_a_profile_holds_a_secret(browser: Client) -> None:
    browser.post(reverse("agents:create-profile"), whole(**CUSTOM, tailscale_auth_key=SECRETS[1]))
    row = Profile.objects.get()
    browser.post(reverse("agents:add-credential", args=[row.pk]), {"name": "a", "secret": SECRETS[2]})
    cookie = {"name": "c", "key": "c", "value": SECRETS[3], "domain": "d.example", "same_site": "Lax"}
    browser.post(reverse("agents:add-cookie", args=[row.pk]), cookie)
    credential, kept = row.credentials.get(), row.cookies.get()
    assert (row.proxy_password, row.tailscale_auth_key, credential.value, kept.value) == SECRETS
    pages = [reverse("agents:profiles"), reverse("agents:replace-credential", args=[row.pk, credential.pk])]
    pages.append(reverse("agents:delete-cookie", args=[row.pk, kept.pk]))
    pages += [reverse(f"agents:{name}", args=[row.pk]) for name in PROFILE_PAGES]
    for page in pages:
        answer = browser.get(page)
        assert answer.status_code == 200, page
        assert not [secret for secret in SECRETS if secret in answer.text], page


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


PROFILE_PAGES = (
    "profile",
    "edit-profile",
    "duplicate-profile",
    "clear-cache",
    "delete-profile",
    "add-credential",
    "add-cookie",
)
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


def test_another_organizations_profile_joins_no_pool(browser: Client, person: User) -> None:
    pool = ProfilePoolFactory(organization=person.organizations.get())
    theirs = ProfileFactory()
    address = reverse("agents:add-members", args=[pool.pk])
    assert theirs.name not in browser.get(address).text
    assert browser.post(address, {"profile": str(theirs.pk)}).status_code == 404
    assert not PoolMembership.objects.exists()


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


def test_the_jump_list_finds_profiles_of_ones_own_organizations_alone(browser: Client, profile: Profile) -> None:
    ProfileFactory(name="Shopper of theirs")
    found = browser.get(reverse("dashboard:jump"), {"q": "shop"}).text
    assert reverse("agents:profile", args=[profile.pk]) in found
    assert "of theirs" not in found


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
