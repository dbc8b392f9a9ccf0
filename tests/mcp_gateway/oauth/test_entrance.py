"""The endpoint that a person's sign-in opens: whose tokens it takes, and what it tells everybody else."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pydantic import BaseModel
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Membership, User
from accounts.scopes import Scope
from mcp_gateway.asgi import Endpoint
from mcp_gateway.models import AccessToken, Application, Connection
from mcp_gateway.oauth.entrance import TokenEntrance
from mcp_gateway.registry import Registry
from security.models import AuditEntry
from tests.factories import UserFactory
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Answer, Direct
from tests.mcp_gateway.oauth.flow import Flow, member
from tests.pages import signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_this_thread")]

registry = Registry()


class Nothing(BaseModel):
    """No arguments."""


class Who(BaseModel):
    user: int
    scope: str


@registry.tool("whoAmI", server="platform", scope=Scope.READ, title="Who am I", read_only=True)
def who_am_i(caller: Caller, arguments: Nothing) -> Who:
    """Say who calls."""
    return Who(user=caller.user_id, scope=caller.scope)


@registry.tool("raze", server="platform", scope=Scope.ADMIN, title="Raze", destructive=True)
def raze(caller: Caller, arguments: Nothing) -> Who:
    """Do what only an admin may."""
    return Who(user=caller.user_id, scope=caller.scope)


@registry.tool("note", server="platform", scope=Scope.WRITE, title="Note")
def note(caller: Caller, arguments: Nothing) -> Who:
    """Write something down."""
    return Who(user=caller.user_id, scope=caller.scope)


def platform(token: str = "") -> Direct:
    served = Endpoint(door.IDENTITY, tools="platform", source=registry, entrance=TokenEntrance("/mcp"), per_minute=0)
    return Direct(served, token)


def challenge(answer: Answer) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', answer.headers["www-authenticate"]))


def is_refused(token: str) -> bool:
    answer = platform(token).call("whoAmI")
    assert answer.status in {200, 401}
    return answer.status == 401 and challenge(answer)["error"] == "invalid_token"


def test_whoever_has_not_signed_in_is_told_where_and_what_for() -> None:
    answer = platform().rpc("tools/list")
    assert answer.status == 401
    assert challenge(answer) == {
        "realm": "asterism",
        "scope": "read write",
        "resource_metadata": f"{settings.PUBLIC_URL}/.well-known/oauth-protected-resource/mcp",
    }


def test_what_the_challenge_names_is_there() -> None:
    url = challenge(platform().rpc("tools/list"))["resource_metadata"]
    assert Client().get(url.removeprefix(settings.PUBLIC_URL)).json()["resource"] == f"{settings.PUBLIC_URL}/mcp"


def test_a_token_opens_it_in_the_persons_name(flow: Flow, person: User) -> None:
    answer = platform(flow.tokens()["access_token"]).call("whoAmI")
    assert answer.result["structuredContent"] == {"user": person.pk, "scope": "write"}
    assert AuditEntry.objects.filter(user_id=person.pk, tool="whoAmI", outcome="ok").exists()


def test_the_audit_names_the_application_for_reads_writes_and_refusals(flow: Flow, person: User) -> None:
    application = Application.objects.get(client_id=flow.client_id)
    served = platform(flow.tokens()["access_token"])
    for tool in ("whoAmI", "note", "raze", "nothing"):
        served.call(tool)
    named = AuditEntry.objects.filter(application_id=application.pk, user_id=person.pk, api_key_id=None)
    assert list(named.order_by("id").values_list("action", "tool", "outcome")) == [
        ("oauth.grant", "", "ok"),
        ("mcp.call", "whoAmI", "ok"),
        ("mcp.call", "note", "ok"),
        ("mcp.call", "raze", "refused"),
        ("mcp.call", "nothing", "refused"),
    ]


def test_the_audits_page_names_the_application_and_follows_it(flow: Flow, person: User) -> None:
    application = Application.objects.get(client_id=flow.client_id)
    served = platform(flow.tokens()["access_token"])
    served.call("whoAmI")
    AuditEntry(user_id=person.pk, door="page", action="ticket.close", outcome="ok").save()
    everything = flow.browser.get("/dashboard/audit")
    assert f'href="?application={application.pk}">Editor</a>' in everything.content.decode()
    assert "ticket.close" in everything.content.decode()
    followed = flow.browser.get("/dashboard/audit", {"application": application.pk})
    assert [line["entry"].action for line in followed.context["lines"]] == ["mcp.call", "oauth.grant"]
    assert "through Editor" in followed.content.decode()
    application.delete()
    assert "A removed application" in flow.browser.get("/dashboard/audit").content.decode()


def test_an_application_followed_by_somebody_else_shows_neither_entries_nor_its_name(flow: Flow) -> None:
    platform(flow.tokens()["access_token"]).call("whoAmI")
    stranger = signed_in(UserFactory.create())
    page = stranger.get("/dashboard/audit", {"application": Application.objects.get().pk})
    assert page.context["lines"] == []
    assert "Editor" not in page.content.decode()


def test_an_api_key_is_refused_with_where_it_belongs(person: User) -> None:
    answer = platform(door.api_key(person)).call("whoAmI")
    assert answer.status == 401
    assert f"{settings.PUBLIC_URL}/agents/v2" in answer.error["message"]
    assert challenge(answer)["error"] == "invalid_token"


def test_a_token_without_a_resource_is_refused(flow: Flow) -> None:
    token = flow.tokens()["access_token"]
    assert not is_refused(token)
    AccessToken.objects.update(resource=[])
    assert is_refused(token)


@pytest.mark.parametrize("bound_to", [["https://elsewhere.example/mcp"], ["{}/api/mcp-server"], ["{}"]])
def test_a_token_for_another_resource_is_refused(flow: Flow, bound_to: list[str]) -> None:
    token = flow.tokens()["access_token"]
    AccessToken.objects.update(resource=[uri.format(settings.PUBLIC_URL) for uri in bound_to])
    assert is_refused(token)


def test_an_expired_token_is_refused(flow: Flow) -> None:
    token = flow.tokens()["access_token"]
    AccessToken.objects.update(expires=timezone.now())
    assert is_refused(token)


def test_a_refresh_token_opens_nothing(flow: Flow) -> None:
    assert is_refused(flow.tokens()["refresh_token"])


def test_what_registration_answers_opens_nothing(flow: Flow) -> None:
    """Neither the id that a client is given nor a token of the kind that manages registrations is a bearer token."""
    assert is_refused(flow.client_id)
    token = flow.tokens()["access_token"]
    AccessToken.objects.update(scope="oauth2_provider:registration")
    assert is_refused(token)


def test_a_deactivated_person_is_out_at_once(flow: Flow, person: User) -> None:
    token = flow.tokens()["access_token"]
    assert not is_refused(token)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert is_refused(token)


def test_a_person_removed_from_their_last_organization_is_out_at_once(flow: Flow, person: User) -> None:
    token = flow.tokens()["access_token"]
    second = member(person, "Babbage")
    Membership.objects.exclude(pk=second.pk).delete()
    assert not is_refused(token)
    second.delete()
    assert is_refused(token)


def test_a_rotated_token_stops_at_once(flow: Flow) -> None:
    first = flow.tokens()
    second = flow.refresh(first["refresh_token"]).json()
    assert is_refused(first["access_token"])
    assert not is_refused(second["access_token"])


def test_a_call_beyond_the_scope_names_the_scope_to_ask_for(flow: Flow) -> None:
    answer = platform(flow.tokens()["access_token"]).call("raze")
    assert answer.status == 403
    assert challenge(answer)["error"] == "insufficient_scope"
    assert challenge(answer)["scope"] == "read write admin"
    assert answer.error["data"]["scope"] == "admin"
    assert AuditEntry.objects.filter(tool="raze", outcome="refused", error_code="insufficient_scope").exists()


def test_the_tools_beyond_the_scope_are_listed_since_a_client_can_ask_for_more(flow: Flow) -> None:
    listed = platform(flow.tokens()["access_token"]).rpc("tools/list").result["tools"]
    assert [tool["name"] for tool in listed] == ["note", "raze", "whoAmI"]


def test_a_body_that_is_no_message_is_a_bad_request(flow: Flow) -> None:
    assert platform(flow.tokens()["access_token"]).post(b"{").status == 400


def test_use_is_noted_once_a_minute(flow: Flow) -> None:
    token = flow.tokens()["access_token"]
    platform(token).call("whoAmI")
    first = Connection.objects.get().last_used_at
    platform(token).call("whoAmI")
    assert first is not None
    assert Connection.objects.get().last_used_at == first
    Connection.objects.update(last_used_at=first - timedelta(minutes=2))
    platform(token).call("whoAmI")
    noted = Connection.objects.get().last_used_at
    assert noted is not None
    assert noted >= first


def test_being_let_in_costs_one_query(flow: Flow, django_assert_num_queries: Any, settings: Settings) -> None:
    from mcp_gateway.oauth import tokens

    token = flow.tokens()["access_token"]
    tokens.verify(token, "/mcp")
    with django_assert_num_queries(1):
        assert tokens.verify(token, "/mcp") is not None
