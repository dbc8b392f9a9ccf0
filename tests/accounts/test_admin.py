"""Accounts and the audit in the admin: searchable, without secrets, and no way around the audit."""

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, Membership, Plan, Role, TokenUsage, User
from accounts.services import invitations, keys
from security import audit
from security.models import AuditEntry
from tests.factories import PASSWORD, MembershipFactory, SubscriptionFactory, caller_for, make_key

OURS = [model for model in admin.site._registry if model._meta.app_label in {"accounts", "security"}]


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("root@example.com", PASSWORD))
    return client


@pytest.fixture
def rows(db: None) -> list[str]:
    """A row of every kind; returns the secrets that none of their pages may show."""
    key, text = make_key()
    membership = MembershipFactory(role=Role.ADMIN)
    SubscriptionFactory(user=membership.user)
    TokenUsage.objects.create(user=membership.user, day=timezone.now().date(), product="bots", tokens=5)
    token = invitations.create_invitation(
        caller_for(membership.user), organization_id=membership.organization_id, role=Role.MEMBER
    ).token
    audit.record("x", caller=caller_for(key.user))
    return [text, text[12:30], token, membership.user.password, bytes(key.digest).hex()]


def test_every_row_of_accounts_and_security_has_a_page() -> None:
    registered = {model.__name__ for model in OURS}
    assert registered == {
        "User", "AddressChange", "Organization", "Membership", "Invitation", "Plan", "Subscription", "TokenUsage",
        "ApiKey", "AuditEntry", "ThrottleCounter",
    }  # fmt: skip


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_can_be_searched_and_filtered_and_no_page_shows_a_secret(
    model: Any, operator: Client, rows: list[str]
) -> None:
    shown = admin.site._registry[model]
    assert shown.search_fields
    assert shown.list_filter
    listing = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    pages = [operator.get(listing), operator.get(listing, {"q": "5"})]
    pages += [operator.get(f"{listing}{row.pk}/change/") for row in model.objects.all()[:3]]
    for page in pages:
        assert page.status_code == 200
        assert not [secret for secret in rows if secret in page.content.decode()]


@pytest.mark.parametrize("name", ["accounts_apikey", "accounts_invitation", "security_auditentry"])
def test_what_holds_a_secret_or_a_record_cannot_be_made_changed_or_deleted(
    name: str, operator: Client, rows: list[str]
) -> None:
    listing = reverse(f"admin:{name}_changelist")
    row = admin.site._registry[next(model for model in OURS if model._meta.db_table == name)].model.objects.first()
    assert operator.get(f"{listing}add/").status_code == 403
    assert operator.post(f"{listing}{row.pk}/change/", {"name": "x"}).status_code == 403
    assert operator.post(f"{listing}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_operator_revokes_keys_from_the_list(operator: Client) -> None:
    key, text = make_key()
    form = {"action": "revoke", "_selected_action": [key.pk]}
    assert operator.post(reverse("admin:accounts_apikey_changelist"), form).status_code == 302
    assert keys.verify(text) is None
    entry = AuditEntry.objects.get(action="api_key.revoke")
    assert (entry.door, entry.target) == ("admin", f"api_key:{key.pk}")


def test_limits_are_edited_in_the_list_and_the_change_is_audited(operator: Client) -> None:
    listing = reverse("admin:accounts_plan_changelist")
    form: dict[str, Any] = {"form-TOTAL_FORMS": 5, "form-INITIAL_FORMS": 5, "_save": "Save"}
    for place, plan in enumerate(Plan.objects.order_by("rank")):
        form[f"form-{place}-id"] = plan.pk
        form |= {f"form-{place}-{name}": "" if plan.limit(name) is None else plan.limit(name) for name in Plan.LIMITS}
    form["form-0-max_bots"] = 4
    assert operator.post(listing, form).status_code == 302
    assert Plan.objects.get(code="FREE").max_bots == 4
    entry = AuditEntry.objects.get(action="admin.change")
    assert (entry.target, entry.detail) == (f"accounts.plan:{Plan.objects.get(code='FREE').pk}", {"fields": ["Bots"]})


def test_somebody_added_here_gets_what_everybody_has(operator: Client) -> None:
    form = {"email": "Ada@Example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    answer = operator.post(reverse("admin:accounts_user_add"), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    user = User.objects.get(email="ada@example.com")
    assert user.subscription.plan.code == "FREE"
    assert Membership.objects.get(user=user).is_admin


def test_the_admin_is_closed_to_those_who_are_not_staff(signed_in: Client) -> None:
    answer = signed_in.get(reverse("admin:accounts_apikey_changelist"))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
    assert not ApiKey.objects.exists()
