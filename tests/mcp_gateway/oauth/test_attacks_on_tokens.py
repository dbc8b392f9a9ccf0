"""What must not get in with a code or a token: each test is one attack on the exchange."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Membership, User
from mcp_gateway.models import AccessToken, Grant, RefreshToken
from security.models import AuditEntry
from tests.mcp_gateway.oauth.flow import Flow, register

pytestmark = pytest.mark.django_db


def test_a_replayed_code_ends_what_came_of_it(flow: Flow) -> None:
    code = flow.code()
    answered = flow.redeem(code).json()
    newer = flow.refresh(answered["refresh_token"]).json()
    assert flow.redeem(code).json()["error"] == "invalid_grant"
    assert not AccessToken.objects.exists()
    assert flow.refresh(newer["refresh_token"]).json()["error"] == "invalid_grant"
    assert AuditEntry.objects.filter(action="oauth.code_replayed", outcome="refused").exists()


def test_an_expired_code_is_refused(flow: Flow) -> None:
    code = flow.code()
    Grant.objects.update(expires=timezone.now())
    assert flow.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "y" * 43},
        {"code_verifier": None},
        {"redirect_uri": "http://127.0.0.1:1/callback"},
        {"code": "guess"},
    ],
    ids=["another verifier", "no verifier", "another redirect", "another code"],
)
def test_a_code_needs_all_that_it_was_asked_with(flow: Flow, changed: dict[str, str | None]) -> None:
    sent = {"code": flow.code()} | changed
    response = flow.redeem(**sent)  # type: ignore[arg-type]
    assert response.status_code == 400
    assert not AccessToken.objects.exists()


def test_a_code_is_of_no_use_to_another_client(flow: Flow) -> None:
    stranger = register(Client()).json()["client_id"]
    assert flow.redeem(flow.code(), client_id=stranger).json()["error"] == "invalid_grant"


def test_a_refresh_token_is_of_no_use_to_another_client(flow: Flow) -> None:
    answered = flow.tokens()
    stranger = register(Client()).json()["client_id"]
    assert flow.refresh(answered["refresh_token"], client_id=stranger).json()["error"] == "invalid_grant"


def test_a_lost_answer_is_given_again_within_the_grace(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    again = flow.refresh(first["refresh_token"]).json()
    assert (again["access_token"], again["refresh_token"]) == (second["access_token"], second["refresh_token"])
    assert 3590 <= again["expires_in"] <= 3600


def test_a_refresh_token_replayed_late_ends_its_family(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    RefreshToken.objects.filter(revoked__isnull=False).update(successor_until=timezone.now())
    assert flow.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
    assert not AccessToken.objects.exists()
    assert flow.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    refused = AuditEntry.objects.filter(action="oauth.refresh", outcome="refused").order_by("id")
    assert refused[0].error_code == "replayed"


def test_a_refresh_token_replayed_after_its_successor_was_used_ends_its_family(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    third = flow.refresh(second["refresh_token"]).json()
    assert flow.refresh(first["refresh_token"]).status_code == 400
    assert flow.refresh(third["refresh_token"]).status_code == 400


def test_a_revoked_refresh_token_has_no_grace(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    Client().post("/oauth/revoke", {"token": second["refresh_token"], "client_id": flow.client_id})
    assert flow.refresh(first["refresh_token"]).status_code == 400


def test_the_sealed_successor_opens_with_nothing_that_is_stored(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    row = RefreshToken.objects.get(revoked__isnull=False)
    assert row.successor is not None
    assert second["refresh_token"].encode() not in bytes(row.successor)
    assert second["access_token"].encode() not in bytes(row.successor)


@pytest.mark.parametrize(("column", "days"), [("family_began_at", 180), ("created", 30)])
def test_a_family_ends_when_idle_or_old(flow: Flow, column: str, days: int) -> None:
    answered = flow.tokens()
    RefreshToken.objects.update(**{column: timezone.now() - timedelta(days=days) + timedelta(minutes=1)})
    newer = flow.refresh(answered["refresh_token"])
    assert newer.status_code == 200
    RefreshToken.objects.filter(revoked__isnull=True).update(**{column: timezone.now() - timedelta(days=days)})
    assert flow.refresh(newer.json()["refresh_token"]).json()["error"] == "invalid_grant"
    assert not AccessToken.objects.exists()


def test_refreshing_does_not_make_a_family_younger(flow: Flow) -> None:
    answered = flow.tokens()
    began = timezone.now() - timedelta(days=100)
    RefreshToken.objects.update(family_began_at=began)
    flow.refresh(answered["refresh_token"])
    assert set(RefreshToken.objects.values_list("family_began_at", flat=True)) == {began}


@pytest.mark.parametrize(
    "grant", ["password", "client_credentials", "implicit", "urn:ietf:params:oauth:grant-type:device_code"]
)
def test_no_other_grant_is_given(flow: Flow, person: User, grant: str) -> None:
    sent = {
        "grant_type": grant,
        "client_id": flow.client_id,
        "username": person.email,
        "password": "x",
        "device_code": "x",
    }
    response: Any = Client().post("/oauth/token", sent)
    assert (response.status_code, response.json()["error"]) == (400, "unsupported_grant_type")


def test_tokens_are_not_given_by_get(flow: Flow) -> None:
    sent = {"grant_type": "authorization_code", "code": flow.code(), "client_id": flow.client_id}
    assert Client().get("/oauth/token?" + urlencode(sent)).status_code == 405


def test_a_deactivated_person_gets_no_tokens(flow: Flow, person: User) -> None:
    answered, code = flow.tokens(), flow.code()
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert flow.refresh(answered["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.redeem(code).json()["error"] == "invalid_grant"


def test_a_person_removed_from_their_organization_gets_no_tokens(flow: Flow, person: User) -> None:
    answered, code = flow.tokens(), flow.code()
    Membership.objects.filter(user=person).delete()
    assert flow.refresh(answered["refresh_token"]).json()["error"] == "invalid_grant"
    assert flow.redeem(code).json()["error"] == "invalid_grant"
