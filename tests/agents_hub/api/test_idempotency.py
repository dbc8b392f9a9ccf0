"""A POST that comes again under its Idempotency-Key acts once and is answered the same."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.errors import Unavailable
from accounts.models import Organization, User
from agents_hub.models import Profile
from agents_hub.services import profiles
from mcp_gateway.models import KeptAnswer
from mcp_gateway.rest import idempotency
from mcp_gateway.tasks import forget_kept_answers
from security.models import AuditEntry
from tests.agents_hub.api.door import Rest, fault, read, rest
from tests.agents_hub.factories import ProfileFactory, member_of
from tests.threads import at_once

pytestmark = pytest.mark.django_db
KEY = "5c3f3c1e-8f0c-4a9b-9f5a-0a7e2d1c4b6d"


def sent(organization: Organization, **fields: Any) -> dict[str, Any]:
    return {"name": "Shopper", "description": "", "organizationId": str(organization.uid)} | fields


def test_the_same_request_again_gets_the_same_answer_and_acts_no_second_time(
    api: Rest, organization: Organization
) -> None:
    first = api.post("agent-profiles", sent(organization), idempotency_key=KEY)
    again = api.post("agent-profiles", sent(organization), idempotency_key=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert (first.headers.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Profile.objects.count() == 1
    assert AuditEntry.objects.filter(action="rest.call").count() == 1


def test_a_request_spelt_otherwise_is_the_same_request(api: Rest, organization: Organization) -> None:
    body = sent(organization)
    first = api.post("agent-profiles", body, idempotency_key=KEY)
    again = api.post("agent-profiles", dict(reversed(body.items())), idempotency_key=KEY)
    assert again.content == first.content


@pytest.mark.parametrize("path", ["agent-profiles", "agent-profile-pools"])
def test_another_request_under_the_same_key_is_a_conflict(api: Rest, organization: Organization, path: str) -> None:
    body = {"name": "Shop", "organizationId": str(organization.uid)}
    api.post("agent-profile-pools", body, idempotency_key=KEY)
    other = body | {"name": "Other"} if path == "agent-profile-pools" else sent(organization)
    code, message = fault(api.post(path, other, idempotency_key=KEY))
    assert (code, "Idempotency-Key" in message) == (409, True)


def test_the_path_is_part_of_the_request(api: Rest, organization: Organization) -> None:
    one, other = ProfileFactory(organization=organization), ProfileFactory(organization=organization)
    api.post(f"agent-profiles/{one.pk}/duplicate", idempotency_key=KEY)
    assert fault(api.post(f"agent-profiles/{other.pk}/duplicate", idempotency_key=KEY))[0] == 409


def test_a_refusal_is_kept_too(api: Rest, organization: Organization) -> None:
    taken = ProfileFactory(organization=organization, name="Shopper")
    first = api.post("agent-profiles", sent(organization), idempotency_key=KEY)
    taken.delete()
    again = api.post("agent-profiles", sent(organization), idempotency_key=KEY)
    assert (first.status_code, again.status_code, again.content) == (409, 409, first.content)
    assert not Profile.objects.exists()


@pytest.mark.parametrize("failure", [Unavailable("Away."), RuntimeError("broken")])
def test_a_failure_of_the_moment_leaves_the_key_free(
    api: Rest, organization: Organization, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise failure

    with monkeypatch.context() as broken:
        broken.setattr(profiles, "create_profile", fail)
        assert api.post("agent-profiles", sent(organization), idempotency_key=KEY).status_code >= 500
    assert api.post("agent-profiles", sent(organization), idempotency_key=KEY).status_code == 200
    assert {one.outcome for one in AuditEntry.objects.filter(action="rest.call")} >= {"ok"}


def test_a_key_is_its_persons_own(api: Rest, organization: Organization) -> None:
    colleague = rest(member_of(organization))
    api.post("agent-profiles", sent(organization), idempotency_key=KEY)
    answer = colleague.post("agent-profiles", sent(organization, name="Theirs"), idempotency_key=KEY)
    assert read(answer)["name"] == "Theirs"


def test_a_second_key_of_the_person_gets_the_answer_of_the_first(person: User, organization: Organization) -> None:
    first = rest(person).post("agent-profiles", sent(organization), idempotency_key=KEY)
    assert rest(person).post("agent-profiles", sent(organization), idempotency_key=KEY).content == first.content


@pytest.mark.parametrize("key", ["", "two words", "x" * 256, "schlüssel"])
def test_what_is_no_key_is_refused(api: Rest, organization: Organization, key: str) -> None:
    assert fault(api.post("agent-profiles", sent(organization), idempotency_key=key))[0] == 400
    assert not Profile.objects.exists()


def test_a_kept_answer_lies_sealed(api: Rest, organization: Organization) -> None:
    cookie = {"name": "s", "key": "sid", "value": "cookie-value-1", "domain": "d.example"}
    api.post("agent-profiles", sent(organization, cookies=[cookie]), idempotency_key=KEY)
    with connection.cursor() as cursor:
        cursor.execute("SELECT kept::text FROM mcp_gateway_keptanswer kept")
        stored = str(cursor.fetchone())
    assert b"cookie-value-1".hex() not in stored
    assert "cookie-value-1" in (KeptAnswer.objects.get().body or "")


def test_after_a_day_the_key_is_free_and_the_answer_forgotten(api: Rest, organization: Organization) -> None:
    api.post("agent-profiles", sent(organization), idempotency_key=KEY)
    api.post("agent-profiles", sent(organization, name="Other"), idempotency_key="kept")
    KeptAnswer.objects.filter(key=KEY).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert api.post("agent-profiles", sent(organization, name="New"), idempotency_key=KEY).status_code == 200
    KeptAnswer.objects.filter(key=KEY).update(expires_at=timezone.now() - timedelta(seconds=1))
    forget_kept_answers()
    assert [one.key for one in KeptAnswer.objects.all()] == ["kept"]


@pytest.mark.django_db(transaction=True)
def test_of_eight_at_once_one_acts_and_all_are_answered_the_same() -> None:
    profile = ProfileFactory()
    caller = rest(member_of(profile.organization))

    def copy() -> Any:
        return Rest(caller.key).post(f"agent-profiles/{profile.pk}/duplicate", idempotency_key=KEY)

    answers = at_once(*[copy] * 8)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert Profile.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_that_waits_too_long_is_told_to_come_again_and_acts_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "LONGEST_WAIT_SECONDS", 1)
    profile = ProfileFactory()
    caller = rest(member_of(profile.organization))
    begun, let_go = threading.Event(), threading.Event()
    real = profiles.duplicate_profile

    def slow(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        assert let_go.wait(20)
        return real(*args, **kwargs)

    monkeypatch.setattr(profiles, "duplicate_profile", slow)
    answers: list[Any] = []

    def copy() -> None:
        answers.append(Rest(caller.key).post(f"agent-profiles/{profile.pk}/duplicate", idempotency_key=KEY))
        connection.close()

    first = threading.Thread(target=copy)
    first.start()
    assert begun.wait(20)
    late = Rest(caller.key).post(f"agent-profiles/{profile.pk}/duplicate", idempotency_key=KEY)
    let_go.set()
    first.join(20)
    assert (fault(late)[0], late["Retry-After"]) == (409, "5")
    assert answers[0].status_code == 200
    assert Profile.objects.count() == 2
