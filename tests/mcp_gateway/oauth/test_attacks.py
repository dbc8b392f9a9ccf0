"""What must not get in: each test is one attack on the authorization server."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Membership, User
from mcp_gateway.models import AccessToken, Application, Grant, RefreshToken
from security.models import AuditEntry
from tests.mcp_gateway.oauth.flow import REDIRECT, Flow, location, register, resource, returned

pytestmark = pytest.mark.django_db

FOREIGN = "https://elsewhere.example/mcp"


# Asking ------------------------------------------------------------------------------------------------------------


def test_a_foreign_resource_is_refused_before_anybody_is_asked(flow: Flow) -> None:
    response = flow.ask(resource=FOREIGN)
    assert location(response) == REDIRECT
    assert returned(response)["error"] == "invalid_target"
    assert returned(response)["iss"] == settings.PUBLIC_URL


def test_a_foreign_resource_slipped_into_the_form_is_refused(flow: Flow) -> None:
    assert returned(flow.answer(resource=FOREIGN))["error"] == "invalid_target"
    assert not Grant.objects.exists()


@pytest.mark.parametrize("spelling", ["{}/", "{}", "HTTP://127.0.0.1:8000/mcp"])
def test_the_resource_is_known_however_it_is_spelt(flow: Flow, spelling: str) -> None:
    asked = spelling.format(resource())
    assert flow.redeem(flow.code(resource=asked), resource=asked).status_code == 200
    assert AccessToken.objects.get().resource == [resource()]


def test_a_token_is_bound_even_where_the_client_names_no_resource(flow: Flow) -> None:
    assert flow.redeem(flow.code(resource=None), resource=None).status_code == 200
    assert AccessToken.objects.get().resource == [resource()]


def test_a_code_buys_no_token_for_a_foreign_resource(flow: Flow) -> None:
    response = flow.redeem(flow.code(), resource=FOREIGN)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_target")
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"code_challenge": None, "code_challenge_method": None},
    ],
    ids=["plain", "method left out, which means plain", "no challenge"],
)
def test_anything_but_pkce_with_s256_is_refused(flow: Flow, changed: dict[str, str | None]) -> None:
    response = flow.ask(**changed)
    assert returned(response)["error"] == "invalid_request"
    assert returned(response)["iss"] == settings.PUBLIC_URL


def test_plain_pkce_slipped_into_the_form_is_refused(flow: Flow) -> None:
    assert returned(flow.answer(code_challenge_method="plain", code_challenge="x" * 43))["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("redirect", "why"),
    [
        ("http://localhost.evil.example:9999/callback", "another host"),
        ("http://localhost:9999/callback", "another name of this machine"),
        ("https://127.0.0.1:9999/callback", "another scheme"),
        ("http://127.0.0.1:9999/elsewhere", "another path"),
        ("http://127.0.0.1:9999/callback?next=x", "a query"),
        ("http://user@127.0.0.1:9999/callback", "userinfo"),
        ("http://127.0.0.1:9999@evil.example/callback", "userinfo that looks like the host"),
        ("http://127.0.0.1:9999/callback#x", "a fragment"),
        ("javascript:alert(1)", "a script"),
        ("//evil.example/callback", "no scheme"),
    ],
)
def test_an_unregistered_redirect_gets_a_page_and_no_redirect(flow: Flow, redirect: str, why: str) -> None:
    response = flow.ask(redirect_uri=redirect)
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "cannot be let in" in response.content.decode()


def test_a_loopback_redirect_may_have_any_port(flow: Flow) -> None:
    flow.redirect_uri = "http://127.0.0.1:51234/callback"
    assert location(flow.answer()) == "http://127.0.0.1:51234/callback"


def test_a_port_other_than_the_registered_one_is_refused_off_this_machine(browser: Client) -> None:
    client_id = register(Client(), redirect_uris=["https://app.example/cb"]).json()["client_id"]
    assert Flow(browser, client_id).ask(redirect_uri="https://app.example:8443/cb").status_code == 400


@pytest.mark.parametrize("allow", [True, False])
def test_a_redirect_slipped_into_the_form_leads_nowhere(flow: Flow, allow: bool) -> None:
    response = flow.answer(allow=allow, redirect_uri="https://evil.example/")
    assert response.status_code == 200
    assert "Location" not in response.headers
    assert not Grant.objects.exists()


@pytest.mark.parametrize("skip", [{"approval_prompt": "auto"}, {"prompt": "none"}, {"approval_prompt": "none"}])
def test_nothing_in_the_request_skips_consent(flow: Flow, skip: dict[str, str]) -> None:
    flow.tokens()
    response = flow.ask(**skip)
    assert response.status_code == 200
    assert "Let it in" in response.content.decode()


def test_a_client_that_skips_consent_cannot_even_be_stored(flow: Flow) -> None:
    from django.db import IntegrityError, transaction

    with pytest.raises(IntegrityError, match="application_consent_asked"), transaction.atomic():
        Application.objects.update(skip_authorization=True)


def test_consent_needs_the_form_of_our_own_page(flow: Flow) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = flow.browser.cookies
    response = strict.post(flow.query(), {"allow": "true", "client_id": flow.client_id})
    assert response.status_code == 403


def test_the_page_cannot_be_framed_and_its_form_leads_to_the_client_alone(flow: Flow) -> None:
    headers = flow.ask().headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:9999;" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert "no-store" in headers["Cache-Control"]


def test_a_redirects_own_issuer_does_not_stand_beside_ours(browser: Client) -> None:
    uri = "https://app.example/cb?iss=https%3A%2F%2Fevil.example"
    client_id = register(Client(), redirect_uris=[uri]).json()["client_id"]
    response = Flow(browser, client_id, redirect_uri=uri).answer()
    assert response.headers["Location"].count("iss=") == 1
    assert returned(response)["iss"] == settings.PUBLIC_URL


def test_an_unknown_scope_is_refused(flow: Flow) -> None:
    assert returned(flow.ask(scope="read everything"))["error"] == "invalid_scope"


@pytest.mark.parametrize("kind", ["token", "id_token", "code token", "none"])
def test_only_codes_are_given(flow: Flow, kind: str) -> None:
    assert returned(flow.ask(response_type=kind))["error"] in {"unsupported_response_type", "unauthorized_client"}


# Exchanging --------------------------------------------------------------------------------------------------------


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


# People who are gone -----------------------------------------------------------------------------------------------


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


# Registering -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata"),
        ({"client_name": "Nice\x1b[2J"}, "invalid_client_metadata"),
        ({"client_name": "N" * 101}, "invalid_client_metadata"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1.evil.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://user:pass@app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://*.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["myapp://callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/cb https://evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example:99999/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT] * 11}, "invalid_redirect_uri"),
    ],
)
def test_a_client_that_asks_for_too_much_is_not_registered(db: None, metadata: dict[str, Any], error: str) -> None:
    response = register(Client(), **metadata)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b"[" * 5000, b'"x"', b"\xff\xfe", b"{" + b" " * 20_000 + b"}"]
)
def test_what_is_no_registration_is_refused(body: bytes) -> None:
    response: Any = Client().post("/oauth/register", body, content_type="application/json")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")


def test_a_flood_of_registrations_is_stopped_for_its_address_alone(settings: Settings) -> None:
    settings.OAUTH_REGISTRATIONS_PER_HOUR = 3
    statuses = [register(Client()).status_code for _ in range(5)]
    assert statuses == [201, 201, 201, 429, 429]
    blocked = register(Client())
    assert int(blocked.headers["Retry-After"]) > 0
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert register(elsewhere).status_code == 201


def test_a_registration_says_who_it_is_and_is_trusted_with_nothing(flow: Flow) -> None:
    """A client id is no token, and no token comes with it."""
    assert not AccessToken.objects.exists()
    assert Application.objects.get(client_id=flow.client_id).user is None
