"""Connected applications: what a person sees of them, how they end, and what is forgotten by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from mcp_gateway.models import AccessToken, Application, Connection, Grant, RefreshToken
from mcp_gateway.oauth import tokens
from mcp_gateway.tasks import forget_what_has_ended
from security.models import AuditEntry
from tests.factories import UserFactory
from tests.mcp_gateway.oauth.flow import Flow, member, register
from tests.pages import signed_in

pytestmark = pytest.mark.django_db

PAGE = "/dashboard/settings/applications"
DAY = timedelta(days=1)


def test_a_person_sees_what_they_let_in_and_when_it_was_used(flow: Flow) -> None:
    token = flow.tokens()["access_token"]
    assert "Never" in flow.browser.get(PAGE).content.decode()
    tokens.verify(token, "/mcp")
    page = flow.browser.get(PAGE).content.decode()
    assert "Editor" in page
    assert "just now" in page


def test_an_empty_page_says_how_to_connect(browser: Client) -> None:
    assert "Nothing is connected" in browser.get(PAGE).content.decode()


def test_disconnecting_shuts_the_client_out_at_once(flow: Flow) -> None:
    first, second = flow.tokens(), flow.tokens()
    open_code = flow.code()
    connection = Connection.objects.get()
    assert "Disconnect Editor?" in flow.browser.get(f"{PAGE}/{connection.pk}/disconnect").content.decode()
    response = flow.browser.post(f"{PAGE}/{connection.pk}/disconnect", follow=True)
    assert "Disconnected Editor" in response.content.decode()
    for answered in (first, second):
        assert tokens.verify(answered["access_token"], "/mcp") is None
        assert flow.refresh(answered["refresh_token"]).status_code == 400
    assert flow.redeem(open_code).status_code == 400
    assert AuditEntry.objects.filter(action="oauth.revoke", door="page").exists()


def test_nobody_disconnects_for_somebody_else(flow: Flow) -> None:
    answered = flow.tokens()
    stranger = signed_in(UserFactory())
    connection = Connection.objects.get()
    assert stranger.get(f"{PAGE}/{connection.pk}/disconnect").status_code == 404
    assert stranger.post(f"{PAGE}/{connection.pk}/disconnect").status_code == 404
    assert tokens.verify(answered["access_token"], "/mcp") is not None


def test_an_operator_disconnects_for_others_in_the_admin(flow: Flow, admin_client: Client, admin_user: User) -> None:
    token = flow.tokens()["access_token"]
    chosen = {"action": "disconnect", "_selected_action": [Connection.objects.get().pk]}
    admin_client.post("/admin/mcp_gateway/connection/", chosen)
    assert tokens.verify(token, "/mcp") is None
    assert AuditEntry.objects.get(action="oauth.revoke", door="admin").user_id == admin_user.pk


def test_a_client_whose_tokens_all_ended_is_not_listed(flow: Flow) -> None:
    flow.tokens()
    RefreshToken.objects.update(revoked=timezone.now())
    assert "Nothing is connected" in flow.browser.get(PAGE).content.decode()


def test_the_page_costs_the_same_however_many_are_connected(
    flow: Flow, person: User, django_assert_max_num_queries: Any
) -> None:
    for _ in range(5):
        Flow(flow.browser, register(Client()).json()["client_id"]).tokens()
    with django_assert_max_num_queries(6):
        assert flow.browser.get(PAGE).content.decode().count(">Disconnect<") == 5


def test_unused_registrations_are_forgotten_after_thirty_days(flow: Flow) -> None:
    flow.tokens()
    unused = Application.objects.get(client_id=register(Client()).json()["client_id"])
    made_here = Application.objects.create(
        name="Ours", client_type="confidential", redirect_uris="https://a.example/cb"
    )
    Application.objects.update(created=timezone.now() - 29 * DAY)
    forget_what_has_ended()
    assert Application.objects.filter(pk=unused.pk).exists()
    Application.objects.update(created=timezone.now() - 30 * DAY)
    forget_what_has_ended()
    assert set(Application.objects.values_list("client_id", flat=True)) == {flow.client_id, made_here.client_id}


def test_codes_are_remembered_a_day_so_that_a_replay_is_recognised(flow: Flow) -> None:
    code = flow.code()
    flow.redeem(code)
    forget_what_has_ended()
    assert flow.redeem(code).status_code == 400
    assert not AccessToken.objects.exists()
    Grant.objects.update(expires=timezone.now() - DAY)
    forget_what_has_ended()
    assert not Grant.objects.exists()


def test_rotated_tokens_are_remembered_while_their_family_may_live(flow: Flow) -> None:
    first = flow.tokens()
    flow.refresh(first["refresh_token"])
    RefreshToken.objects.filter(revoked__isnull=False).update(
        revoked=timezone.now() - 29 * DAY, successor_until=timezone.now()
    )
    forget_what_has_ended()
    assert RefreshToken.objects.get(revoked__isnull=False).successor is None
    assert flow.refresh(first["refresh_token"]).status_code == 400
    assert not RefreshToken.objects.filter(revoked__isnull=True).exists()


def test_what_can_do_nothing_any_more_is_forgotten(flow: Flow) -> None:
    flow.refresh(flow.tokens()["refresh_token"])
    RefreshToken.objects.filter(revoked__isnull=False).update(revoked=timezone.now() - 30 * DAY)
    RefreshToken.objects.filter(revoked__isnull=True).update(created=timezone.now() - 30 * DAY)
    AccessToken.objects.update(expires=timezone.now())
    forget_what_has_ended()
    assert not RefreshToken.objects.exists()
    assert not AccessToken.objects.exists()


def test_a_token_in_use_is_not_forgotten(flow: Flow) -> None:
    answered = flow.tokens()
    AccessToken.objects.update(expires=timezone.now())
    forget_what_has_ended()
    assert flow.refresh(answered["refresh_token"]).status_code == 200


def test_the_admin_shows_no_secret(flow: Flow, admin_client: Client) -> None:
    answered = flow.tokens()
    member(UserFactory())
    for model in (Application, AccessToken, RefreshToken, Grant, Connection):
        name = model._meta.model_name
        assert admin_client.get(f"/admin/mcp_gateway/{name}/?q=x").status_code == 200
        page = admin_client.get(f"/admin/mcp_gateway/{name}/{model.objects.get().pk}/change/").content.decode()
        for column in ("token", "token_checksum", "code", "client_secret", "successor"):
            stored = str(getattr(model.objects.get(), column, None) or "-nothing-")
            assert stored not in page
        assert answered["access_token"] not in page
