"""Models in the admin: every row can be found, no key is on any page, and prices are an operator's to say."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import Organization
from llm.models import Budget, ModelCall, ModelDay, Price, Provider
from security.models import AuditEntry
from tests.factories import UserFactory
from tests.fakes.model_provider import KEY


def test_every_row_is_read_and_no_key_shown(client: Client, organization: Organization) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    rows: list[Model] = [
        Provider.objects.create(
            organization=organization, name="main", kind="openai", api_key=KEY, default_model="gpt-5"
        ),
        Budget.objects.create(organization=organization, monthly_usd=5),
        ModelCall.objects.create(organization=organization, model="main:gpt-5", product="chat", duration_ms=1),
        ModelDay.objects.create(
            organization=organization,
            day="2026-01-31",
            model="main:gpt-5",
            product="chat",
            calls=1,
            unpriced=1,
            input_tokens=1,
            cached_tokens=0,
            output_tokens=1,
            cost_usd=0,
        ),
    ]
    for row in rows:
        name = f"admin:llm_{row._meta.model_name}"
        listed = client.get(reverse(f"{name}_changelist"), {"q": "lantern"})
        shown = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert (listed.status_code, shown.status_code) == (200, 200)
        assert KEY not in listed.text + shown.text


@pytest.mark.django_db
def test_a_price_is_set_and_audited(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    sent = {"model": "openai:gpt-5", "input_usd": "1.25", "cached_input_usd": "", "output_usd": "10"}
    client.post(reverse("admin:llm_price_add"), sent)
    assert Price.objects.get().model == "openai:gpt-5"
    assert AuditEntry.objects.get(action="model_price.set").target == "model:openai:gpt-5"
    assert LogEntry.objects.exists()
