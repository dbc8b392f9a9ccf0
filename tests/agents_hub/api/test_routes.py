"""The REST API as the contract has it: keys, scopes, shapes, pages and the one form of error."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.errors import PlanLimit, Unavailable
from accounts.models import Organization, User
from accounts.scopes import Scope
from agents_hub.models import Profile
from agents_hub.services import profiles
from security.models import AuditEntry
from tests.agents_hub.api.door import BASE, Rest, fault, read, rest
from tests.agents_hub.factories import AgentFactory, ProfileFactory, member_of
from tests.factories import OrganizationFactory, make_key
from tests.pages import signed_in

pytestmark = pytest.mark.django_db

# An id that is nobody's; the same in every process, which must collect the same tests.
NOBODYS = "0198c0de-7a11-7000-8000-000000000000"


def profile_of(organization: Organization, **fields: Any) -> dict[str, Any]:
    return {"name": "Shopper", "description": "Buys things", "organizationId": str(organization.uid)} | fields


# Keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("header", "text"), [("X-Asteroid-Agents-Api-Key", "{}"), ("Authorization", "Bearer {}")])
def test_a_key_opens_in_either_header(person: User, header: str, text: str) -> None:
    _, key = make_key(person)
    answer = Client().get(BASE + "context", headers={header: text.format(key)})
    assert answer.status_code == 200
    assert read(answer)["userId"] == str(person.uid)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer wiz_nothing"}])
def test_without_a_good_key_nothing_is_told(db: None, headers: dict[str, str]) -> None:
    answer = Client().get(BASE + "agents", headers=headers)
    code, message = fault(answer)
    assert code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert "key" in message or "Bearer" in message


def test_a_revoked_key_stops_at_once(person: User) -> None:
    row, text = make_key(person)
    assert Rest(text).get("agents").status_code == 200
    row.revoked_at = row.created_at
    row.save()
    assert Rest(text).get("agents").status_code == 401


def test_a_session_is_no_key(person: User) -> None:
    client = signed_in(person)
    assert client.get(BASE + "agents").status_code == 401


def test_a_used_key_says_when(person: User) -> None:
    row, text = make_key(person)
    Rest(text).get("agents")
    row.refresh_from_db()
    assert row.last_used_at is not None


@pytest.mark.parametrize("path", ["agent-profiles", "docs/search", "schema/validate"])
def test_a_reading_key_gets_and_does_nothing_else(person: User, path: str) -> None:
    reader = rest(person, Scope.READ)
    assert reader.get("agent-profiles").status_code == 200
    code, message = fault(reader.post(path, {}))
    assert code == 403
    assert "write" in message


# Shapes ----------------------------------------------------------------------------------------------------


def test_lists_have_the_contracts_frame_and_order(api: Rest, organization: Organization) -> None:
    for name in ("beta", "alpha", "delta"):
        AgentFactory(organization=organization, name=name)
    AgentFactory(name="foreign")
    page = read(api.get(f"agents?sortField=name&sortDirection=asc&pageSize=2&organizationId={organization.uid}"))
    assert [agent["name"] for agent in page["items"]] == ["alpha", "beta"]
    assert (page["page"], page["pageSize"], page["total"]) == (1, 2, 3)
    assert set(page["items"][0]) == {"id", "name", "createdAt", "organizationId", "userId"}
    assert read(api.get("agents?page=2&pageSize=2&searchName=LPH"))["total"] == 1


def test_a_profile_lives_from_its_making_to_its_end(api: Rest, organization: Organization) -> None:
    made = read(
        api.post("agent-profiles", profile_of(organization, credentials=[{"name": "login", "data": "hunter2"}]))
    )
    path = f"agent-profiles/{made['id']}"
    assert made["credentials"][0]["name"] == "LOGIN"
    changed = read(api.ask("PATCH", path, {"description": "Sells", "credentialsToAdd": [{"name": "b", "data": "c"}]}))
    assert (changed["description"], len(changed["credentials"])) == ("Sells", 2)
    assert read(api.get(path)) == changed
    assert read(api.ask("DELETE", path + "/clear-browser-cache"))["message"]
    copy = read(api.post(path + "/duplicate"))
    assert [row["name"] for row in copy["credentials"]] == ["LOGIN", "B"]
    gone = api.ask("DELETE", path)
    assert (gone.status_code, gone.content, gone.headers.get("Content-Type")) == (204, b"", None)
    assert fault(api.get(path))[0] == 404


def test_a_pool_is_filled_emptied_and_deleted(api: Rest, organization: Organization) -> None:
    pool = read(api.post("agent-profile-pools", {"name": "Shop", "organizationId": str(organization.uid)}))
    assert (pool["selectionStrategy"], pool["allowConcurrentUse"]) == ("least_recently_used", False)
    path, members = f"agent-profile-pools/{pool['id']}", f"agent-profile-pools/{pool['id']}/members"
    profile = ProfileFactory(organization=organization)
    assert read(api.ask("PATCH", path, {"selectionStrategy": "most_recently_used", "name": None}))["name"] == "Shop"
    assert read(api.post(members, {"profileIds": [str(profile.pk)]}))["id"] == pool["id"]
    listed = read(api.get(members))
    assert [row["id"] for row in listed["items"]] == [str(profile.pk)]
    assert read(api.ask("DELETE", members, {"profileIds": [str(profile.pk)]}))["id"] == pool["id"]
    assert read(api.get(members))["total"] == 0
    assert fault(api.post(members, {"profileIds": []}))[0] == 400
    assert api.ask("DELETE", path).status_code == 204
    assert read(api.get("agent-profile-pools"))["total"] == 0


def test_what_belongs_to_no_product_is_there_too(api: Rest, organization: Organization) -> None:
    assert read(api.get("context"))["organizations"] == [{"id": str(organization.uid), "name": organization.name}]
    assert isinstance(read(api.get("agents/available-tools"))["tools"], list)
    assert "results" in read(api.post("docs/search", {"query": "keys"}))
    verdict = read(api.post("schema/validate", {"schema": {"type": "array"}}))
    assert verdict["valid"] is False
    assert verdict["errors"]


def test_every_call_is_in_the_audit_without_secrets(api: Rest, organization: Organization) -> None:
    api.post("agent-profiles", profile_of(organization, credentials=[{"name": "login", "data": "hunter2"}]))
    api.get(f"agent-profiles/{uuid4()}")
    entries = list(AuditEntry.objects.filter(action="rest.call").order_by("pk"))
    assert [(one.tool, one.outcome, one.error_code, one.door) for one in entries] == [
        ("agentProfilesCreate", "ok", "", "rest"),
        ("agentProfileGet", "refused", "not_found", "rest"),
    ]
    assert "hunter2" not in str([one.detail for one in AuditEntry.objects.all()])


# Errors ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "body", "named"),
    [
        ("GET", "agents?pageSize=101", None, "pageSize"),
        ("GET", "agents?page=0", None, "page"),
        ("GET", "agents?unknown=1", None, "unknown"),
        ("GET", "agents?page=1&page=2", None, "page"),
        ("GET", "agents?searchName=%00", None, "U+0000"),
        ("GET", "agent-profiles/not-an-id", None, "profileId"),
        ("POST", "agent-profiles", {"name": "A"}, "organizationId"),
        ("POST", "agent-profiles", [], "object"),
        ("POST", "agent-profiles", b'{"name": NaN}', "JSON"),
        ("POST", "agent-profiles", b"{" * 5_000, "JSON"),
        ("POST", "agent-profiles", b'{"name": "\xff"}', "JSON"),
        ("POST", "agent-profiles", b'{"name": "\\ud800"}', "JSON"),
        ("POST", "agent-profiles?name=A", {}, "name"),
        ("PATCH", f"agent-profiles/{NOBODYS}", {"profileId": NOBODYS}, "profileId"),
    ],
)
def test_what_does_not_fit_is_a_400_that_names_it(api: Rest, method: str, path: str, body: Any, named: str) -> None:
    code, message = fault(api.ask(method, path, body))
    assert code == 400
    assert named in message


def test_a_broken_rule_names_its_field(api: Rest, organization: Organization) -> None:
    code, message = fault(api.post("agent-profiles", profile_of(organization, proxyMode="managed")))
    assert (code, "proxyType" in message) == (400, True)
    assert not Profile.objects.exists()


def test_a_name_that_is_taken_is_a_conflict(api: Rest, organization: Organization) -> None:
    api.post("agent-profiles", profile_of(organization))
    assert fault(api.post("agent-profiles", profile_of(organization)))[0] == 409


def test_what_is_no_route_and_no_method_answers_in_the_same_form(api: Rest) -> None:
    assert fault(api.get("nothing/here"))[0] == 404
    answer = api.ask("PUT", "agents")
    assert fault(answer)[0] == 405
    assert "GET" in answer["Allow"]


def test_a_body_that_is_no_json_by_its_type_is_refused(api: Rest) -> None:
    answer = api.client.post(
        BASE + "agent-profiles", "name=A", content_type="text/plain", headers={"Authorization": f"Bearer {api.key}"}
    )
    assert fault(answer)[0] == 415


def test_a_body_beyond_the_limit_is_refused(api: Rest, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    assert fault(api.post("agent-profiles", {"name": "A" * 1_001}))[0] == 413


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (PlanLimit("Your plan allows no more profiles."), 402),
        (Unavailable("Away for a moment.", data={"retry_after": 7}), 503),
    ],
)
def test_a_services_refusal_has_its_status(
    api: Rest, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise raised

    monkeypatch.setattr(profiles, "duplicate_profile", refuse)
    answer = api.post(f"agent-profiles/{uuid4()}/duplicate")
    assert fault(answer) == (status, str(raised))
    assert answer.headers.get("Retry-After") == ("7" if status == 503 else None)


def test_what_nobody_foresaw_is_logged_and_not_told(
    api: Rest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret inner state")

    monkeypatch.setattr(profiles, "list_profiles", fail)
    code, message = fault(api.get("agent-profiles"))
    assert code == 500
    assert "secret inner state" not in message
    assert "secret inner state" in caplog.text
    assert AuditEntry.objects.get(action="rest.call").outcome == "error"


# Pace ----------------------------------------------------------------------------------------------------


def test_a_key_beyond_its_requests_a_minute_is_told_when_to_come_again(
    person: User, settings: Settings, organization: Organization
) -> None:
    settings.REST_RATE_PER_MINUTE = 3
    first, second = rest(person), rest(person)
    assert [first.get("context").status_code for _ in range(3)] == [200, 200, 200]
    answer = first.get("context")
    assert fault(answer)[0] == 429
    assert 1 <= int(answer["Retry-After"]) <= 60
    assert second.get("context").status_code == 200


def test_another_organizations_id_is_not_found(api: Rest) -> None:
    foreign = OrganizationFactory()
    member_of(foreign)
    assert fault(api.get(f"agents?organizationId={foreign.uid}"))[0] == 404
    assert fault(api.post("agent-profiles", profile_of(foreign)))[0] == 404
