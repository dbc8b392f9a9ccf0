"""What must not get in while a client asks: each test is one attack on the way to a code."""

import pytest
from django.conf import settings
from django.test import Client

from mcp_gateway.models import AccessToken, Application, Grant
from tests.mcp_gateway.oauth.flow import REDIRECT, Flow, location, register, resource, returned

pytestmark = pytest.mark.django_db

FOREIGN = "https://elsewhere.example/mcp"


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
