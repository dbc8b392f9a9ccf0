"""The way in, from discovery to tokens, and what is left behind."""

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import User
from mcp_gateway.models import AccessToken, Application, Connection, Grant, RefreshToken
from security.models import AuditEntry
from tests.mcp_gateway.oauth.flow import REDIRECT, Flow, location, register, resource, returned

pytestmark = pytest.mark.django_db


def test_the_resource_names_its_authorization_server() -> None:
    document = Client().get("/.well-known/oauth-protected-resource/mcp", headers={"host": "127.0.0.1:1"}).json()
    assert document["resource"] == f"{settings.PUBLIC_URL}/mcp"
    assert document["authorization_servers"] == [settings.PUBLIC_URL]
    assert document["scopes_supported"] == ["read", "write", "admin"]


@pytest.mark.parametrize("path", ["", "/nope", "/api/mcp-server", "/mcp/deeper"])
def test_a_resource_that_does_not_exist_has_no_document(path: str) -> None:
    assert Client().get(f"/.well-known/oauth-protected-resource{path}").status_code == 404


def test_the_server_names_itself_by_its_configuration_and_not_by_the_host_header() -> None:
    document = Client().get("/.well-known/oauth-authorization-server", headers={"host": "localhost:81"}).json()
    assert document["issuer"] == settings.PUBLIC_URL
    assert all(value.startswith(settings.PUBLIC_URL) for name, value in document.items() if name.endswith("_endpoint"))


def test_the_server_states_what_it_does_and_nothing_else() -> None:
    document = Client().get("/.well-known/oauth-authorization-server").json()
    assert document["grant_types_supported"] == ["authorization_code", "refresh_token"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["response_types_supported"] == ["code"]
    assert "none" in document["token_endpoint_auth_methods_supported"]
    assert document["authorization_response_iss_parameter_supported"] is True


def test_every_endpoint_that_is_named_is_there() -> None:
    document = Client().get("/.well-known/oauth-authorization-server").json()
    for name, value in document.items():
        if name.endswith("_endpoint"):
            assert Client().post(value.removeprefix(settings.PUBLIC_URL)).status_code != 404, name


def test_a_registered_client_gets_an_id_and_no_secret() -> None:
    response = register(Client(), client_uri="https://editor.example/")
    assert response.status_code == 201
    stated = response.json()
    assert Application.objects.get(client_id=stated["client_id"]).client_type == "public"
    assert not {"client_secret", "registration_access_token"} & stated.keys()


def test_consent_leads_to_tokens_for_the_resource_alone(flow: Flow) -> None:
    answered = flow.tokens()
    assert answered["token_type"] == "Bearer"
    assert answered["expires_in"] == 3600
    assert answered["scope"] == "read write"
    assert AccessToken.objects.get().resource == [resource()]


def test_the_answer_carries_the_state_and_the_issuer(flow: Flow) -> None:
    back = returned(flow.answer())
    assert back["state"] == flow.state
    assert back["iss"] == settings.PUBLIC_URL


def test_a_no_goes_back_to_the_client_with_the_issuer(flow: Flow) -> None:
    response = flow.answer(allow=False)
    assert location(response) == REDIRECT
    assert returned(response) == {"error": "access_denied", "state": flow.state, "iss": settings.PUBLIC_URL}


def test_the_page_says_who_asks_for_what_and_where_the_answer_goes(person: User, browser: Client) -> None:
    client_id = register(Client(), client_name="Ed <b>", client_uri="https://ed.example/x").json()["client_id"]
    page = Flow(browser, client_id).ask().content.decode()
    for shown in ("Ed &lt;b&gt;", "ed.example", "127.0.0.1:9999", "Lovelace", person.email, "Any program there"):
        assert shown in page
    for permission in ("See everything", "Make and change"):
        assert permission in page
    assert "Delete things for good" not in page


def test_somebody_signed_out_is_asked_to_sign_in_first(flow: Flow) -> None:
    flow.browser.logout()
    response = flow.ask()
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in?next=/oauth/authorize")


def test_codes_and_tokens_are_stored_as_digests_alone(flow: Flow) -> None:
    code = flow.code()
    assert not Grant.objects.extra(where=["code = %s"], params=[code]).exists()
    answered = flow.redeem(code).json()
    rows = [*AccessToken.objects.values_list(), *RefreshToken.objects.values_list(), *Grant.objects.values_list()]
    for secret in (code, answered["access_token"], answered["refresh_token"]):
        assert secret not in str(rows)


def test_a_stored_digest_is_not_a_code(flow: Flow) -> None:
    flow.code()
    assert flow.redeem(str(Grant.objects.values_list("code", flat=True).get())).status_code == 400


def test_a_wider_scope_includes_those_below(flow: Flow) -> None:
    flow.scope = "admin"
    assert flow.tokens()["scope"] == "read write admin"


def test_refreshing_gives_new_tokens_and_ends_the_old_ones(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    assert second["scope"] == first["scope"]
    assert {second["access_token"], second["refresh_token"]}.isdisjoint({first["access_token"], first["refresh_token"]})
    assert AccessToken.objects.count() == 1
    assert AccessToken.objects.get().resource == [resource()]


def test_refreshing_may_ask_for_less_and_not_for_more(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"], scope="read").json()
    assert second["scope"] == "read"
    assert flow.refresh(second["refresh_token"], scope="read write").json()["error"] == "invalid_scope"


def test_revoking_either_token_ends_both(flow: Flow) -> None:
    for kind in ("access_token", "refresh_token"):
        answered = flow.tokens()
        response = Client().post("/oauth/revoke", {"token": answered[kind], "client_id": flow.client_id})
        assert response.status_code == 200
        assert not AccessToken.objects.exists()
        assert flow.refresh(answered["refresh_token"]).status_code == 400


def test_another_client_cannot_revoke(flow: Flow) -> None:
    answered = flow.tokens()
    stranger = register(Client()).json()["client_id"]
    Client().post("/oauth/revoke", {"token": answered["refresh_token"], "client_id": stranger})
    assert flow.refresh(answered["refresh_token"]).status_code == 200


def test_a_connection_is_remembered(flow: Flow, person: User) -> None:
    flow.tokens()
    flow.tokens()
    connection = Connection.objects.get()
    assert (connection.user, connection.application.client_id, connection.scope) == (person, flow.client_id, "write")


def test_grants_refused_refreshes_and_revocations_are_in_the_audit(flow: Flow, person: User) -> None:
    answered = flow.tokens()
    flow.refresh("asrt_unknown")
    Client().post("/oauth/revoke", {"token": answered["access_token"], "client_id": flow.client_id})
    entries = AuditEntry.objects.filter(action__startswith="oauth.").order_by("id")
    assert [(entry.action, entry.outcome) for entry in entries] == [
        ("oauth.register", "ok"),
        ("oauth.grant", "ok"),
        ("oauth.refresh", "refused"),
        ("oauth.revoke", "ok"),
    ]
    assert entries[1].user_id == person.pk
    assert entries[1].target == f"application:{Application.objects.get(client_id=flow.client_id).pk}"


def test_an_app_made_by_an_operator_keeps_its_secret_to_itself(browser: Client) -> None:
    application = Application.objects.create(
        name="Server",
        client_type="confidential",
        client_secret="s3cret-of-the-server",
        redirect_uris="https://app.example/cb",
    )
    flow = Flow(browser, application.client_id, redirect_uri="https://app.example/cb")
    code = flow.code()
    assert flow.redeem(code).status_code == 401
    assert flow.redeem(code, client_secret="guess").status_code == 401
    assert flow.redeem(code, client_secret="s3cret-of-the-server").status_code == 200
