"""Providers are an organization's own: admins change them, keys go in and stay where they were entered for."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from accounts.models import Organization
from llm.models import Budget, ModelCall, Provider
from llm.services import providers, spending, testing
from llm.services.providers import ProviderFields
from security.models import AuditEntry
from tests.fakes.model_provider import KEY, Fault, ModelProvider

GIVEN = ProviderFields(
    name="main", kind="compatible", base_url="https://models.example.com/v1", api_key=KEY, default_model="gpt-5"
)


@pytest.fixture
def row(organization: Organization, admin: Caller) -> Provider:
    return providers.create_provider(admin, organization_id=organization.uid, given=GIVEN)


def change(admin: Caller, row: Provider, **fields: Any) -> providers.Edited:
    given = replace(GIVEN, **{"api_key": "", **fields}, is_default=True)
    edited = providers.update_provider(admin, provider_id=row.pk, given=given)
    row.refresh_from_db()
    return edited


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"default_model": "gpt-5-mini"}, True),
        ({"api_key": "[REDACTED]"}, True),
        ({"base_url": "https://models.example.com:443/v2"}, True),
        ({"base_url": "https://models.example.com:8443/v1"}, False),
        ({"base_url": "https://other.example.com/v1"}, False),
        ({"kind": "openai", "base_url": ""}, False),
        ({"base_url": "https://other.example.com/v1", "api_key": "[REDACTED]"}, False),
    ],
    ids=[
        "another model",
        "redacted",
        "another path",
        "another port",
        "another host",
        "another kind",
        "redacted, moved",
    ],
)
def test_a_key_is_kept_and_never_sent_elsewhere(
    admin: Caller, row: Provider, fields: dict[str, Any], kept: bool
) -> None:
    assert change(admin, row, **fields).key_dropped != kept
    assert row.api_key == (KEY if kept else None)
    told = repr(AuditEntry.objects.filter(target=f"model_provider:{row.pk}").values()) + repr(GIVEN)
    assert KEY not in told


def test_a_new_key_replaces_the_old_one_and_what_was_tested(admin: Caller, row: Provider) -> None:
    Provider.objects.update(test_result="refused the API key")
    assert not change(admin, row, api_key="sk-another", base_url="https://other.example.com/v1").key_dropped
    assert (row.api_key, row.test_result) == ("sk-another", "")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "My provider"}, "name"),
        ({"name": "scripted"}, "name"),
        ({"kind": "oracle"}, "kind"),
        ({"base_url": ""}, "base_url"),
        ({"base_url": "ftp://models.example.com"}, "base_url"),
        ({"base_url": "https://models.example.com/v1?key=1"}, "base_url"),
        ({"default_model": ""}, "default_model"),
        ({"fallback_model": "a b"}, "fallback_model"),
        ({"api_key": "two\nlines"}, "api_key"),
        ({"api_key": "[REDACTED]"}, "api_key"),
    ],
    ids=lambda value: "-".join(value.values())[:30] if isinstance(value, dict) else value,
)
def test_what_cannot_be_is_refused_by_its_field(
    admin: Caller, organization: Organization, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as caught:
        providers.create_provider(admin, organization_id=organization.uid, given=replace(GIVEN, **fields))
    assert caught.value.data["field"] == field
    assert not Provider.objects.exists()


def test_a_private_address_is_not_saved_in_production(
    admin: Caller, organization: Organization, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    for url in ("https://127.0.0.1/v1", "https://10.0.0.1/v1", "http://models.example.com/v1", "https://ollama/v1"):
        with pytest.raises(Invalid):
            providers.create_provider(admin, organization_id=organization.uid, given=replace(GIVEN, base_url=url))


def test_one_is_the_default_and_no_name_is_there_twice(
    admin: Caller, organization: Organization, row: Provider
) -> None:
    assert row.is_default
    with pytest.raises(Conflict):
        providers.create_provider(admin, organization_id=organization.uid, given=GIVEN)
    given = replace(GIVEN, name="second", is_default=True)
    second = providers.create_provider(admin, organization_id=organization.uid, given=given)
    assert list(Provider.objects.filter(is_default=True)) == [second]


def test_members_look_and_admins_of_this_organization_act(
    admin: Caller, member: Caller, stranger: Caller, organization: Organization, row: Provider
) -> None:
    uid = organization.uid
    assert [found.name for found in providers.list_providers(member, organization_id=uid)] == ["main"]
    acts: list[Callable[[Caller], object]] = [
        lambda who: providers.create_provider(who, organization_id=uid, given=replace(GIVEN, name="new")),
        lambda who: providers.update_provider(who, provider_id=row.pk, given=GIVEN),
        lambda who: providers.delete_provider(who, provider_id=row.pk),
        lambda who: async_to_sync(testing.test_provider)(who, provider_id=row.pk),
        lambda who: spending.spending(who, organization_id=uid),
        lambda who: spending.set_budget(who, organization_id=uid, monthly_usd=Decimal(1)),
    ]
    for act in acts:
        with pytest.raises(Forbidden):
            act(member)
        with pytest.raises(NotFound):
            act(stranger)
    for look in (
        lambda: providers.list_providers(stranger, organization_id=uid),
        lambda: providers.find_provider(stranger, provider_id=row.pk),
    ):
        with pytest.raises(DomainError, match=r"no such provider|no organization"):
            look()
    assert (Provider.objects.get().name, Budget.objects.count()) == ("main", 0)
    providers.delete_provider(admin, provider_id=row.pk)
    assert not Provider.objects.exists()


def test_a_test_asks_once_and_its_result_is_kept(admin: Caller, openai: Provider, fake: ModelProvider) -> None:
    fake.answers.append(Fault(401))
    report = async_to_sync(testing.test_provider)(admin, provider_id=openai.pk)
    openai.refresh_from_db()
    assert not report.ok
    assert "refused the API key" in openai.test_result
    assert openai.tested_at is not None
    assert async_to_sync(testing.test_provider)(admin, provider_id=openai.pk).ok
    openai.refresh_from_db()
    assert openai.test_result == ""
    assert ModelCall.objects.get().product == "test"
    assert AuditEntry.objects.filter(action="model_provider.test").count() == 2


def test_spending_is_told_by_model_and_day_beside_the_budget(admin: Caller, organization: Organization) -> None:
    spending.set_budget(admin, organization_id=organization.uid, monthly_usd=Decimal("2.50"))
    for model, usd in (("main:a", Decimal("0.5")), ("main:b", Decimal(2)), ("main:b", None)):
        ModelCall.objects.create(
            organization=organization, model=model, product="chat", cost_usd=usd, duration_ms=1, input_tokens=3
        )
    told = spending.spending(admin, organization_id=organization.uid)
    assert (told.usd, told.budget_usd, told.calls, told.unpriced) == (Decimal("2.5"), Decimal("2.5"), 3, 1)
    assert told.is_used_up
    assert [(use.model, use.calls, use.input_tokens) for use in told.models] == [("main:b", 2, 6), ("main:a", 1, 3)]
    assert told.days[-1][1] == Decimal("2.5")
    spending.set_budget(admin, organization_id=organization.uid, monthly_usd=None)
    assert spending.spending(admin, organization_id=organization.uid).budget_usd is None
    with pytest.raises(Invalid):
        spending.set_budget(admin, organization_id=organization.uid, monthly_usd=Decimal(-1))
