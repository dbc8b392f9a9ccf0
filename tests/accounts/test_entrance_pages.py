"""The entrance, as a browser sees it: sign-in, sign-up, lost passwords and invitations."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts.models import Membership, Role, User
from accounts.services import invitations
from tests.factories import PASSWORD, MembershipFactory, UserFactory, caller_for

pytestmark = pytest.mark.usefixtures("mails_at_once")


@pytest.fixture(autouse=True)
def public_address(settings: Any) -> None:
    settings.PUBLIC_URL = "https://asterism.example"


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in", {"email": email, "password": password, **more})


def test_signing_in_leads_home_and_signing_out_ends_the_session(client: Client, person: User) -> None:
    answer = sign_in(client, person.email)
    assert (answer.status_code, answer["Location"]) == (302, reverse("dashboard:home"))
    assert client.get("/dashboard/settings").status_code == 200
    client.post("/sign-out")
    assert client.get("/dashboard/settings").status_code == 302


def test_signing_out_needs_a_post(signed_in: Client) -> None:
    assert signed_in.get("/sign-out").status_code == 405


def test_signing_in_leads_where_one_was_going_and_never_to_another_site(client: Client, person: User) -> None:
    assert sign_in(client, person.email, next="/dashboard/settings/plan")["Location"] == "/dashboard/settings/plan"
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
        assert sign_in(client, person.email, next=elsewhere)["Location"] == reverse("dashboard:home")


def test_a_wrong_password_shows_the_form_again_with_the_address_kept(client: Client, person: User) -> None:
    answer = sign_in(client, person.email, "wrong")
    assert answer.status_code == 422
    assert "do not belong together" in answer.content.decode()
    assert person.email in answer.content.decode()
    assert "wrong" not in answer.content.decode()


def test_too_many_attempts_are_answered_with_when_to_come_back(client: Client, person: User) -> None:
    for _ in range(10):
        sign_in(client, person.email, "wrong")
    answer = sign_in(client, person.email)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900


def test_the_session_is_a_new_one_after_signing_in(client: Client, person: User) -> None:
    client.get("/sign-in")
    session = client.session
    session["planted"] = "by an attacker"
    session.save()
    before = session.session_key
    sign_in(client, person.email)
    assert client.session.session_key != before


def test_a_deactivated_persons_session_ends_at_once(client: Client, person: User) -> None:
    sign_in(client, person.email)
    User.objects.filter(pk=person.pk).update(is_active=False)
    assert client.get("/dashboard/settings").status_code == 302


@pytest.mark.django_db
def test_the_admin_is_entered_through_the_throttled_sign_in(client: Client) -> None:
    operator = User.objects.create_superuser("root@example.com", PASSWORD)
    asked = client.get("/admin/", follow=True)
    assert "accounts/sign_in.html" in [template.name for template in asked.templates]
    for _ in range(10):
        client.post("/admin/login/", {"username": operator.email, "email": operator.email, "password": "wrong"})
    assert client.post("/admin/login/", {"email": operator.email, "password": PASSWORD}).status_code == 429


@pytest.mark.django_db
def test_sign_up_exists_only_where_it_was_opened(client: Client, settings: Any) -> None:
    form = {"name": "Ada", "email": "ada@example.com", "password": PASSWORD}
    assert client.post("/sign-up", form).status_code == 404
    assert "/sign-up" not in client.get("/sign-in").content.decode()
    settings.SIGN_UP_OPEN = True
    assert "/sign-up" in client.get("/sign-in").content.decode()
    assert client.post("/sign-up", form).status_code == 302
    assert client.get("/dashboard/settings").status_code == 200


@pytest.mark.django_db
def test_a_sign_up_that_is_refused_says_why_under_the_field(client: Client, settings: Any) -> None:
    settings.SIGN_UP_OPEN = True
    answer = client.post("/sign-up", {"email": "ada@example.com", "password": "password"})
    assert answer.status_code == 422
    assert "too common" in str(answer.context["form"].errors["password"])


def test_a_lost_password_is_replaced_by_the_link_in_the_mail(client: Client, person: User) -> None:
    asked = client.post("/password-reset", {"email": person.email.upper()}, headers={"host": "127.0.0.1"})
    assert asked.status_code == 302
    (message,) = mail.outbox
    assert message.to == [person.email]
    (link,) = re.findall(r"https://\S+", message.body.split("here within")[1])
    assert link.startswith("https://asterism.example/password-reset/")
    path = link.removeprefix("https://asterism.example")
    page = client.get(path, follow=True)
    assert page.redirect_chain[0][0].endswith("/set-password")
    where = page.redirect_chain[0][0]
    assert client.post(where, {"password": "password"}).status_code == 422
    assert client.post(where, {"password": "a harbour at night"})["Location"] == "/sign-in"
    person.refresh_from_db()
    assert person.check_password("a harbour at night")
    assert "no longer works" in Client().get(path, follow=True).content.decode()


def test_a_reset_ends_the_other_sessions(client: Client, person: User) -> None:
    sign_in(client, person.email)
    person.set_password("a harbour at night")
    person.save()
    assert client.get("/dashboard/settings").status_code == 302


def test_asking_for_a_reset_never_tells_whether_an_address_is_known(client: Client, person: User) -> None:
    answers = [client.post("/password-reset", {"email": email}) for email in (person.email, "nobody@example.com")]
    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]
    assert [message.to for message in mail.outbox] == [[person.email]]


def test_without_the_broker_nobody_is_told_that_a_mail_is_on_its_way(
    client: Client, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: object) -> None:
        raise OperationalError

    monkeypatch.setattr("accounts.tasks.mail_password_reset.delay", away)
    answers = [client.post("/password-reset", {"email": email}) for email in (person.email, "nobody@example.com")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "Try again in a few minutes" in answers[0].content.decode()


def invited(**fields: Any) -> tuple[Membership, str]:
    admin = MembershipFactory(role=Role.ADMIN)
    made = invitations.create_invitation(
        caller_for(admin.user), organization_id=admin.organization_id, role=Role.MEMBER, **fields
    )
    return admin, f"/invitations/{made.token}"


@pytest.mark.django_db
def test_an_invited_stranger_makes_an_account_and_is_in(client: Client) -> None:
    admin, link = invited()
    assert admin.organization.name in client.get(link).content.decode()
    answer = client.post(link, {"name": "Ada", "email": "ada@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    assert admin.organization.members.filter(email="ada@example.com").exists()
    assert client.get("/dashboard/settings").status_code == 200
    assert Client().get(link).status_code == 404


@pytest.mark.django_db
def test_an_invitation_for_one_address_makes_no_account_for_another(client: Client) -> None:
    admin, link = invited(email="ada@example.com")
    client.post(link, {"email": "mallory@example.com", "password": PASSWORD})
    assert set(admin.organization.members.values_list("email", flat=True)) == {admin.user.email, "ada@example.com"}


def test_whoever_is_signed_in_joins_with_one_button(signed_in: Client, person: User) -> None:
    admin, link = invited()
    assert f"Join as {person.email}" in signed_in.get(link).content.decode()
    signed_in.post(link)
    assert admin.organization.members.filter(pk=person.pk).exists()


def test_opening_a_link_alone_joins_nothing(signed_in: Client, person: User) -> None:
    admin, link = invited()
    signed_in.get(link)
    assert not admin.organization.members.filter(pk=person.pk).exists()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/password-reset"])
def test_a_form_from_another_site_is_refused(path: str, settings: Any, db: None) -> None:
    settings.SIGN_UP_OPEN = True
    UserFactory()
    answer = Client(enforce_csrf_checks=True).post(path, {"email": "a@example.com", "password": PASSWORD})
    assert answer.status_code == 403
