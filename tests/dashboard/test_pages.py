"""The shell's own pages: home, audit, plans, the jump list, the choice of organization, and errors."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import path
from pytest_django import DjangoAssertNumQueries

from accounts.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unavailable
from accounts.models import Membership, Organization, Plan, User
from config import urls
from dashboard import once
from security.models import AuditEntry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    made: User = UserFactory.create(name="Ada Lindqvist")
    return made


@pytest.fixture
def at_home(client: Client, person: User) -> Client:
    client.force_login(person)
    return client


def entry(person: User, action: str = "ticket.get", **fields: Any) -> AuditEntry:
    made = AuditEntry(user_id=person.pk, door="mcp", action=action, **{"outcome": "ok", **fields})
    made.save()
    return made


def test_the_root_leads_home_and_home_leads_strangers_to_sign_in(client: Client) -> None:
    assert client.get("/").headers["Location"] == "/dashboard/"
    assert client.get("/dashboard/").headers["Location"] == "/sign-in?next=/dashboard/"


def test_people_see_what_was_done_in_their_name_and_nobody_elses(at_home: Client, person: User) -> None:
    mine = entry(person)
    entry(UserFactory.create(), action="mod.banUser")
    lines = at_home.get("/dashboard/audit").context["lines"]
    assert [line["entry"] for line in lines] == [mine]


def test_operators_see_everybodys_entries_and_whose_they_are(client: Client, person: User) -> None:
    entry(person)
    client.force_login(UserFactory.create(is_staff=True))
    page = client.get("/dashboard/audit").text
    assert person.email in page


def test_an_operator_sees_a_hundred_entries_in_as_many_queries_as_one(
    client: Client, person: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(UserFactory.create(is_staff=True))
    for _ in range(60):
        entry(person)
    with django_assert_max_num_queries(7):
        assert len(client.get("/dashboard/audit").context["lines"]) == 50


def test_the_audit_is_narrowed_by_outcome_door_and_action_and_goes_on_page_by_page(
    at_home: Client, person: User
) -> None:
    for number in range(60):
        entry(person, action=f"ticket.{'get' if number % 2 else 'close'}", outcome="ok" if number % 3 else "error")
    answer = at_home.get("/dashboard/audit", {"outcome": "error", "action": "ticket.close", "door": "mcp"})
    assert {(line["entry"].action, line["entry"].outcome) for line in answer.context["lines"]} == {
        ("ticket.close", "error")
    }
    first = at_home.get("/dashboard/audit")
    second = at_home.get("/dashboard/audit", {"cursor": first.context["next_cursor"]})
    ids = [line["entry"].pk for answer in (first, second) for line in answer.context["lines"]]
    assert len(ids) == 60
    assert ids == sorted(ids, reverse=True)
    assert second.context["next_cursor"] is None


@pytest.mark.parametrize(
    "query", ["cursor=abc", "cursor=-1", "cursor=²", "cursor=" + "9" * 40, "door=none", "outcome=%00"]
)
def test_an_address_that_makes_no_sense_shows_the_newest_entries(at_home: Client, person: User, query: str) -> None:
    mine = entry(person)
    answer = at_home.get(f"/dashboard/audit?{query}")
    assert [line["entry"] for line in answer.context["lines"]] == [mine]


def test_the_plans_page_shows_the_limits_that_the_rows_hold(client: Client) -> None:
    Plan.objects.filter(code="FREE").update(monthly_ai_tokens=12_345)
    page = client.get("/docs/plans").text
    assert "12,345" in page
    assert "Creator Edition" in page
    assert "Unlimited" in page


def test_the_jump_list_answers_the_dialog_with_the_results_alone(at_home: Client) -> None:
    assert "<html" in at_home.get("/dashboard/jump?q=aud").text
    alone = at_home.get("/dashboard/jump?q=aud", headers={"HX-Request": "true"}).text
    assert "<html" not in alone
    assert 'href="/dashboard/audit"' in alone
    assert "Nothing here is called" in at_home.get("/dashboard/jump?q=%3Cscript%3E").text


def test_the_organization_looked_at_is_one_of_the_persons_and_is_kept(at_home: Client, person: User) -> None:
    first, second, other = (
        Organization.objects.create(name=name, slug=name.lower()) for name in ("First", "Second", "Other")
    )
    for organization in (first, second):
        Membership.objects.create(user=person, organization=organization)
    assert at_home.get("/dashboard/").context["organization"] == first
    at_home.post("/dashboard/organization", {"organization": second.pk})
    assert at_home.get("/dashboard/").context["organization"] == second
    refused = at_home.post("/dashboard/organization", {"organization": other.pk}, follow=True)
    assert "no longer belong" in refused.text
    assert at_home.get("/dashboard/").context["organization"] == second
    Membership.objects.filter(organization=second).delete()
    assert at_home.get("/dashboard/").context["organization"] == first


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_choosing_an_organization_sends_nobody_elsewhere(at_home: Client, elsewhere: str) -> None:
    answer = at_home.post("/dashboard/organization", {"organization": "1", "next": elsewhere})
    assert answer.headers["Location"] == "/dashboard/"


def test_a_form_that_acts_once_is_spent_by_its_first_sending() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    request.session = {}  # type: ignore[assignment]
    one, other = once.issue(request), once.issue(request)
    assert once.spend(request, one)
    assert not once.spend(request, one)
    assert once.spend(request, other)
    assert not once.spend(request, "made up")


def failing(request: HttpRequest, name: str) -> HttpResponse:
    errors: dict[str, Exception] = {
        "not-found": NotFound("No such ticket."),
        "forbidden": Forbidden("Not yours to change."),
        "conflict": Conflict("It is closed."),
        "invalid": Invalid("That is no number."),
        "unavailable": Unavailable("Discord does not answer."),
        "unexpected": RuntimeError("the password is swordfish"),
    }
    raise errors[name]


class UrlsThatFail:
    """The platform's addresses and one whose view fails as asked."""

    urlpatterns = [path("fail/<str:name>", failing), *urls.urlpatterns]
    handler400, handler403, handler404, handler500 = urls.handler400, urls.handler403, urls.handler404, urls.handler500


@pytest.mark.parametrize(
    ("name", "status", "says"),
    [
        ("not-found", 404, "No such ticket."),
        ("forbidden", 403, "Not yours to change."),
        ("conflict", 409, "It is closed."),
        ("invalid", 400, "That is no number."),
        ("unavailable", 503, "Discord does not answer."),
    ],
)
@override_settings(ROOT_URLCONF=UrlsThatFail)
def test_a_services_refusal_becomes_a_page_in_the_shell(client: Client, name: str, status: int, says: str) -> None:
    answer = client.get(f"/fail/{name}")
    assert answer.status_code == status
    assert says in answer.text
    assert "<nav" in answer.text


@override_settings(ROOT_URLCONF=UrlsThatFail)
def test_an_unexpected_error_shows_its_request_id_and_nothing_of_itself(client: Client, person: User) -> None:
    from security import request_id

    client.raise_request_exception = False
    client.force_login(person)
    known = request_id.begin()
    answer = client.get("/fail/unexpected")
    assert answer.status_code == 500
    assert known in answer.text
    assert "swordfish" not in answer.text
    assert "RuntimeError" not in answer.text


def test_every_kind_of_refusal_has_a_status_of_its_own_or_is_a_bad_request() -> None:
    from dashboard.views.errors import HEADINGS, STATUS

    assert set(STATUS.values()) | {400} == set(HEADINGS)
    assert all(issubclass(kind, DomainError) for kind in STATUS)


def test_an_address_that_does_not_exist_is_a_page_of_ours(client: Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
