"""Profiles: rules between fields, secrets that never come out, changes that are whole or not at all."""

from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound, ScopeMissing
from accounts.models import Organization
from accounts.scopes import Scope
from agents_hub.models import Profile, ProfileCookie, ProfileCredential
from agents_hub.services import profiles
from agents_hub.shapes.profiles import CreateProfile, ProfileShape, UpdateProfile
from security.models import AuditEntry
from tests.agents_hub.factories import ProfileFactory, member_of
from tests.factories import OrganizationFactory, caller_for

pytestmark = pytest.mark.django_db

SECRETS = ("proxy-pass-1", "tail-key-1", "hunter2-value")


@pytest.fixture
def organization() -> Organization:
    return OrganizationFactory()


@pytest.fixture
def caller(organization: Organization) -> Caller:
    return caller_for(member_of(organization))


def create(caller: Caller, organization: Organization, **fields: Any) -> Profile:
    sent = {"name": "Shopper", "description": "Buys things", "organizationId": str(organization.uid)} | fields
    return profiles.create_profile(caller, profile=CreateProfile.model_validate(sent))


def update(caller: Caller, profile: Profile, **fields: Any) -> Profile:
    return profiles.update_profile(caller, change=UpdateProfile.model_validate({"profileId": str(profile.pk)} | fields))


CUSTOM = {
    "proxyMode": "custom",
    "customProxy": {"server": "proxy.example:8080", "username": "u", "password": SECRETS[0]},
}


def test_defaults_are_the_contracts(caller: Caller, organization: Organization) -> None:
    shown = ProfileShape.of(create(caller, organization)).model_dump(mode="json", by_alias=True)
    assert shown["proxyMode"] == "none"
    assert shown["forcePopupsAsTabsActive"] is True
    assert shown["tracingEnabled"] is True
    assert shown["organizationId"] == str(organization.uid)
    assert [name for name, value in shown.items() if value is None] == [
        "proxyCC", "proxyType", "customProxy", "proxyGatewayPresetId", "operatingSystem", "inboxEmailPrefix",
    ]  # fmt: skip
    assert UUID(shown["id"]).version == 7


def test_no_secret_is_in_an_answer_or_in_the_audit_or_in_clear_in_the_database(
    caller: Caller, organization: Organization
) -> None:
    made = create(
        caller, organization, **CUSTOM, tailscaleAuthKey=SECRETS[1], credentials=[{"name": "pw", "data": SECRETS[2]}]
    )
    shown = ProfileShape.of(made).model_dump_json(by_alias=True)
    entries = "".join(str(entry.__dict__) for entry in AuditEntry.objects.all())
    with connection.cursor() as cursor:
        cursor.execute("SELECT p::text, c::text FROM agents_hub_profile p, agents_hub_profilecredential c")
        stored = str(cursor.fetchall())
    for secret in SECRETS:
        assert secret not in shown
        assert secret not in entries
        assert secret not in stored
        assert secret.encode().hex() not in stored
    assert ProfileCredential.objects.get().value == SECRETS[2]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"proxyMode": "managed"}, "proxyType"),
        ({"proxyMode": "custom"}, "customProxy"),
        ({"proxyMode": "custom", "customProxy": {"server": "p:1", "username": ""}}, "customProxy.password"),
        ({"proxyMode": "tailscale"}, "tailscaleAuthKey"),
        ({"proxyMode": "gateway"}, "proxyGatewayPresetId"),
        ({"captchaSolverActive": True}, "captchaSolverActive"),
        ({"stickyIP": True}, "stickyIP"),
        ({"popupBlockerActive": True}, "popupBlockerActive"),
        ({"credentials": [{"name": "a", "data": "1"}, {"name": "A", "data": "2"}]}, "credentials"),
    ],
)
def test_a_broken_rule_names_its_field_and_leaves_nothing(
    caller: Caller, organization: Organization, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        create(caller, organization, **fields)
    assert refused.value.data["field"] == field
    assert field in refused.value.message
    assert not Profile.objects.exists()


def test_leaving_the_managed_proxy_asks_what_needs_it_to_be_switched_off(
    caller: Caller, organization: Organization
) -> None:
    made = create(caller, organization, proxyMode="managed", proxyType="mobile", stickyIP=True)
    with pytest.raises(Invalid, match="stickyIP"):
        update(caller, made, proxyMode="none")
    assert update(caller, made, proxyMode="none", stickyIP=False).proxy_mode == "none"


def test_an_edit_that_sends_no_password_or_the_placeholder_keeps_the_stored_one(
    caller: Caller, organization: Organization
) -> None:
    made = create(caller, organization, **CUSTOM)
    update(caller, made, customProxy={"server": "proxy.example:8080", "username": "other"})
    update(caller, made, customProxy={"server": "proxy.example:8080", "username": "third", "password": "[REDACTED]"})
    row = Profile.objects.get()
    assert (row.proxy_username, row.proxy_password) == ("third", SECRETS[0])


def test_the_stored_password_does_not_follow_to_another_proxy(caller: Caller, organization: Organization) -> None:
    made = create(caller, organization, **CUSTOM)
    with pytest.raises(Invalid, match="again when the server changes"):
        update(caller, made, customProxy={"server": "evil.example:8080", "username": "u"})
    assert Profile.objects.get().proxy_server == "proxy.example:8080"


def test_credentials_and_cookies_change_by_their_own_lists(caller: Caller, organization: Organization) -> None:
    cookie = {"name": "Session", "key": "sid", "value": "1", "domain": "shop.example"}
    made = create(caller, organization, credentials=[{"name": "login", "data": "a"}], cookies=[cookie])
    changed = update(
        caller,
        made,
        credentialsToUpdate=[{"name": "Login", "data": "b"}],
        credentialsToAdd=[{"name": "totp", "data": "c"}],
        cookiesToDelete=[str(made.cookies.get().pk)],
        cookiesToAdd=[cookie | {"sameSite": "None", "secure": True}],
    )
    assert {row.name: row.value for row in ProfileCredential.objects.all()} == {"LOGIN": "b", "TOTP": "c"}
    assert [row.same_site for row in changed.cookies.all()] == ["None"]


def test_a_change_with_one_bad_part_changes_nothing(caller: Caller, organization: Organization) -> None:
    made = create(caller, organization, credentials=[{"name": "login", "data": "a"}])
    with pytest.raises(Invalid, match="credentialsToUpdate"):
        update(caller, made, name="Renamed", credentialsToUpdate=[{"name": "absent", "data": "b"}])
    assert Profile.objects.get().name == "Shopper"


def test_names_are_unique_in_an_organization_only(caller: Caller, organization: Organization) -> None:
    create(caller, organization)
    with pytest.raises(Conflict) as refused:
        create(caller, organization)
    assert refused.value.code == "name_taken"
    other = OrganizationFactory()
    create(caller_for(member_of(other)), other)


def test_a_copy_has_its_own_credentials_and_cookies_and_no_inbox_of_the_original(
    caller: Caller, organization: Organization
) -> None:
    made = create(
        caller,
        organization,
        **CUSTOM,
        inboxEmailPrefix="shopper",
        credentials=[{"name": "login", "data": "a"}],
        cookies=[{"name": "s", "key": "sid", "value": "1", "domain": "d.example"}],
    )
    copy = profiles.duplicate_profile(caller, profile_id=made.pk)
    assert copy.name == "Shopper (copy)"
    assert copy.inbox_email != made.inbox_email
    assert Profile.objects.get(pk=copy.pk).proxy_password == SECRETS[0]
    profiles.delete_profile(caller, profile_id=made.pk)
    assert ProfileCredential.objects.get(profile=copy).value == "a"
    assert ProfileCookie.objects.get(profile=copy).value == "1"


@pytest.mark.parametrize("verb", ["get_profile", "delete_profile", "clear_browser_cache", "duplicate_profile"])
def test_another_organizations_profile_is_not_found(caller: Caller, verb: str) -> None:
    foreign = ProfileFactory()
    with pytest.raises(NotFound):
        getattr(profiles, verb)(caller, profile_id=foreign.pk)
    assert Profile.objects.filter(pk=foreign.pk, cache_generation=0).exists()


def test_a_copy_cannot_be_put_into_an_organization_of_others(caller: Caller, organization: Organization) -> None:
    made = create(caller, organization)
    with pytest.raises(NotFound):
        profiles.duplicate_profile(caller, profile_id=made.pk, organization_id=OrganizationFactory().uid)


def test_parts_of_another_profile_cannot_be_deleted_through_ones_own(
    caller: Caller, organization: Organization
) -> None:
    made = create(caller, organization)
    foreign = ProfileCredential.objects.create(profile=ProfileFactory(), name="X", value="secret")
    with pytest.raises(Invalid, match="credentialsToDelete"):
        update(caller, made, credentialsToDelete=[str(foreign.pk)])
    assert ProfileCredential.objects.filter(pk=foreign.pk).exists()


def test_reading_takes_no_more_queries_for_more_profiles(
    caller: Caller, organization: Organization, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        create(caller, organization, name=f"P{number}", credentials=[{"name": "a", "data": "1"}])
    with django_assert_max_num_queries(5):
        page = profiles.list_profiles(caller, page_size=12)
        assert len([ProfileShape.of(row) for row in page.rows]) == 12


def test_a_reader_cannot_write(organization: Organization) -> None:
    reader = caller_for(member_of(organization), Scope.READ)
    with pytest.raises(ScopeMissing):
        create(reader, organization)
