"""The settings, as a browser sees them: keys, clients, profile, plan and organizations."""

import html
import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, Invitation, Membership, Role, User
from accounts.services import keys, plans
from tests.accounts.conftest import form_token
from tests.factories import PASSWORD, MembershipFactory, SubscriptionFactory, UserFactory, make_key

SETTINGS = "/dashboard/settings"


def make(client: Client, **answers: str) -> Any:
    """Fill in the form for a new key and send it."""
    token = form_token(client.get(f"{SETTINGS}/keys/new").content)
    return client.post(
        f"{SETTINGS}/keys/new", {"name": "CI", "scope": "write", "lifetime": "90", "token": token, **answers}
    )


def clear_text(answer: Any) -> str:
    text: str = answer.context["text"]
    return text


@pytest.mark.parametrize("name", ["settings", "new-key", "profile", "plan", "organizations"])
def test_the_settings_are_for_those_who_signed_in(client: Client, name: str, db: None) -> None:
    answer = client.get(reverse(f"accounts:{name}"))
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=")


def test_a_new_key_is_shown_once_with_the_configurations_that_hold_it(signed_in: Client, person: User) -> None:
    made = make(signed_in)
    text = clear_text(made)
    assert made.content.decode().count(text) >= 5
    assert "no-store" in made["Cache-Control"]
    verified = keys.verify(text)
    assert verified is not None
    assert verified.user_id == person.pk
    listed = signed_in.get(SETTINGS).content.decode()
    assert text not in listed
    assert f"wiz_{text[4:12]}…" in listed


def test_sending_the_form_again_makes_no_second_key(signed_in: Client, person: User) -> None:
    token = form_token(signed_in.get(f"{SETTINGS}/keys/new").content)
    form = {"name": "CI", "scope": "read", "lifetime": "0", "token": token}
    assert signed_in.post(f"{SETTINGS}/keys/new", form).status_code == 200
    assert signed_in.post(f"{SETTINGS}/keys/new", form).status_code == 302
    assert ApiKey.objects.filter(user=person).count() == 1


def test_a_key_without_a_name_is_asked_for_one_and_nothing_typed_is_lost(signed_in: Client) -> None:
    answer = make(signed_in, name="", lifetime="365")
    assert answer.status_code == 422
    assert answer.context["form"]["lifetime"].value() == "365"
    assert not ApiKey.objects.exists()


def test_rotating_shows_the_new_key_and_lets_the_old_one_work_on(signed_in: Client, person: User) -> None:
    key, old = make_key(person)
    path = reverse("accounts:rotate-key", args=[key.pk])
    answer = signed_in.post(path, {"overlap": "24", "token": form_token(signed_in.get(path).content)})
    new = clear_text(answer)
    assert keys.verify(old) is not None
    assert keys.verify(new) is not None
    assert "works until" in answer.content.decode()
    key.refresh_from_db()
    assert key.expires_at is not None
    assert abs(key.expires_at - key.created_at - timedelta(hours=24)) < timedelta(minutes=1)


def test_revoking_asks_first_and_then_ends_the_key(signed_in: Client, person: User) -> None:
    key, text = make_key(person)
    path = reverse("accounts:revoke-key", args=[key.pk])
    assert "shut out at once" in signed_in.get(path).content.decode()
    assert keys.verify(text) is not None
    signed_in.post(path)
    assert keys.verify(text) is None
    assert "already" in signed_in.post(path, follow=True).content.decode()


@pytest.mark.parametrize("name", ["rotate-key", "revoke-key"])
def test_somebody_elses_key_is_a_page_that_does_not_exist(signed_in: Client, name: str) -> None:
    theirs, text = make_key(UserFactory())
    path = reverse(f"accounts:{name}", args=[theirs.pk])
    assert signed_in.get(path).status_code == 404
    assert signed_in.post(path).status_code == 404
    assert keys.verify(text) is not None


def test_the_configurations_name_the_public_address(signed_in: Client, settings: Any) -> None:
    settings.PUBLIC_URL = "https://asterism.example"
    page = html.unescape(signed_in.get(SETTINGS, headers={"host": "localhost"}).content.decode())
    start = page.index('"mcpServers"')
    desktop, _ = json.JSONDecoder().raw_decode(page[page.rindex("{", 0, start) :])
    assert desktop == {
        "mcpServers": {
            "asterism": {
                "transport": "streamable-http",
                "url": "https://asterism.example/api/mcp-server",
                "headers": {"Authorization": "Bearer wiz_your_key"},
            }
        }
    }
    assert "claude mcp add --transport http asterism https://asterism.example/api/mcp-server" in page
    assert "curl https://asterism.example/api/mcp-server" in page


def test_a_person_changes_their_name(signed_in: Client, person: User) -> None:
    signed_in.post(f"{SETTINGS}/profile", {"form": "name", "name-name": "Ada Lovelace"})
    person.refresh_from_db()
    assert person.name == "Ada Lovelace"


def test_a_new_password_keeps_this_session_and_ends_the_others(signed_in: Client, person: User) -> None:
    other = Client()
    other.force_login(person)
    form = {"form": "password", "password-current": PASSWORD, "password-password": "a harbour at night"}
    assert signed_in.post(f"{SETTINGS}/profile", form).status_code == 302
    assert signed_in.get(SETTINGS).status_code == 200
    assert other.get(SETTINGS).status_code == 302


def test_nobody_guesses_the_password_at_an_open_session(signed_in: Client, person: User) -> None:
    form = {"form": "password", "password-current": "wrong", "password-password": "a harbour at night"}
    for _ in range(10):
        signed_in.post(f"{SETTINGS}/profile", form)
    answer = signed_in.post(f"{SETTINGS}/profile", {**form, "password-current": PASSWORD})
    assert "Too many attempts" in answer.content.decode()
    person.refresh_from_db()
    assert person.check_password(PASSWORD)


def test_the_plan_page_shows_the_plan_and_what_was_used_of_it(signed_in: Client, person: User) -> None:
    SubscriptionFactory(user=person, code="CREATOR")
    plans.record_tokens(person.pk, "bots", 1_234)
    page = signed_in.get(f"{SETTINGS}/plan").content.decode()
    assert "You are on Creator Edition." in page
    assert "1,234 used of 500,000, 498,766 left" in page


@pytest.fixture
def own(person: User) -> Membership:
    return MembershipFactory(user=person, role=Role.ADMIN)


def page_of(membership: Membership) -> str:
    return f"{SETTINGS}/organizations/{membership.organization.slug}"


def test_an_admin_invites_by_a_link_that_is_shown_once(signed_in: Client, own: Membership, settings: Any) -> None:
    settings.PUBLIC_URL = "https://asterism.example"
    path = f"{page_of(own)}/invite"
    token = form_token(signed_in.get(path, headers={"host": "localhost"}).content)
    form = {"role": "member", "email": "", "token": token}
    link = signed_in.post(path, form, headers={"host": "localhost"}).context["link"]
    assert link.startswith("https://asterism.example/invitations/")
    assert link not in signed_in.get(page_of(own), headers={"host": "localhost"}).content.decode()
    assert Client().get(link.removeprefix("https://asterism.example")).status_code == 200


def test_an_admin_revokes_an_invitation(signed_in: Client, own: Membership) -> None:
    path = f"{page_of(own)}/invite"
    signed_in.post(path, {"role": "member", "token": form_token(signed_in.get(path).content)})
    invitation = Invitation.objects.get()
    signed_in.post(f"{page_of(own)}/invitations/{invitation.pk}/revoke")
    assert not Invitation.objects.open().exists()


def test_an_admin_changes_roles_and_removes_members(signed_in: Client, own: Membership) -> None:
    member = MembershipFactory(organization=own.organization)
    signed_in.post(f"{page_of(own)}/members/{member.user_id}/role", {"role": "admin"})
    member.refresh_from_db()
    assert member.role == Role.ADMIN
    assert "Remove" in signed_in.get(f"{page_of(own)}/members/{member.user_id}/remove").content.decode()
    signed_in.post(f"{page_of(own)}/members/{member.user_id}/remove")
    assert list(own.organization.members.all()) == [own.user]


def test_a_member_sees_the_people_and_none_of_the_controls(signed_in: Client, person: User) -> None:
    membership = MembershipFactory(user=person)
    MembershipFactory(organization=membership.organization, role=Role.ADMIN)
    page = signed_in.get(page_of(membership)).content.decode()
    for control in ("Make admin", "Make member", ">Remove<", "Open invitations", ">Rename<"):
        assert control not in page
    assert "Leave" in page


def test_the_last_admin_is_told_why_they_cannot_leave(signed_in: Client, own: Membership) -> None:
    answer = signed_in.post(f"{page_of(own)}/members/{own.user_id}/remove", follow=True)
    assert "last admin" in answer.content.decode()
    assert own.organization.members.count() == 1


def test_an_organization_one_does_not_belong_to_does_not_exist(signed_in: Client) -> None:
    other = MembershipFactory(role=Role.ADMIN)
    for path in ("", "/invite", f"/members/{other.user_id}/remove"):
        assert signed_in.get(page_of(other) + path).status_code == 404
    assert signed_in.post(f"{page_of(other)}/members/{other.user_id}/role", {"role": "member"}).status_code == 404


def test_a_person_founds_another_organization(signed_in: Client, person: User) -> None:
    answer = signed_in.post(f"{SETTINGS}/organizations", {"name": "Second Lantern"})
    assert answer["Location"] == f"{SETTINGS}/organizations/second-lantern"
    assert Membership.objects.get(user=person).is_admin
