"""The admin of agents: every row can be found, and no secret is on any page."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from agents_hub.models import Profile, ProfileCookie, ProfileCredential
from tests.agents_hub.factories import AgentFactory, ProfileFactory, ProfilePoolFactory
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
MODELS = sorted(apps.get_app_config("agents_hub").get_models(), key=lambda model: model.__name__)
SECRETS = ("proxy-password-1", "tailscale-key-1", "credential-value-1", "cookie-value-1")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_listed_and_searched(operator: Client, model: type[Model]) -> None:
    where = reverse(f"admin:agents_hub_{model._meta.model_name}_changelist")
    for query in ("", "harbour", "123", "0198c0de-7a11-7000-8000-000000000000"):
        assert operator.get(where, {"q": query}).status_code == 200
    assert admin.site._registry[model].search_fields


def test_no_secret_is_on_any_page(operator: Client) -> None:
    profile: Profile = ProfileFactory(proxy_password=SECRETS[0], tailscale_auth_key=SECRETS[1])
    rows: list[Any] = [
        profile,
        ProfileCredential.objects.create(profile=profile, name="LOGIN", value=SECRETS[2]),
        ProfileCookie.objects.create(profile=profile, name="c", key="c", value=SECRETS[3], domain="d.example"),
        ProfilePoolFactory(),
        AgentFactory(),
    ]
    for row in rows:
        kind = row._meta.model_name
        pages = [
            reverse(f"admin:agents_hub_{kind}_changelist"),
            reverse(f"admin:agents_hub_{kind}_change", args=[row.pk]),
        ]
        for page in pages:
            answer = operator.get(page)
            assert answer.status_code == 200
            assert str(row.pk) in answer.content.decode()
            assert not [secret for secret in SECRETS if secret in answer.content.decode()]


def test_rows_are_looked_at_and_not_written(operator: Client) -> None:
    agent = AgentFactory(name="Clerk")
    assert operator.post(reverse("admin:agents_hub_agent_change", args=[agent.pk]), {"name": "X"}).status_code == 403
    assert operator.get(reverse("admin:agents_hub_agent_add")).status_code == 403
