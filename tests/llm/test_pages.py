"""Control Hub > Models: what admins do there, what members see, and that a key never comes out."""

from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.caller import Caller
from accounts.models import Organization
from llm.models import Budget, ModelCall, Provider
from tests.fakes.model_provider import KEY, Fault, ModelProvider
from tests.pages import signed_in

LIST = "/dashboard/models"
SENT = {"name": "main", "kind": "openai", "default_model": "gpt-5", "api_key": KEY, "enabled": "on"}


def test_a_provider_is_added_edited_and_deleted(admin: Caller, organization: Organization) -> None:
    client = signed_in(admin)
    assert "No providers yet" in client.get(LIST).text
    assert "main is added" in client.post(f"{LIST}/add", SENT, follow=True).text
    provider = Provider.objects.get(organization=organization)
    assert (provider.api_key, provider.is_default) == (KEY, True)
    form = client.get(f"{LIST}/{provider.pk}/edit").text
    assert KEY not in form
    assert "[REDACTED]" in form
    client.post(f"{LIST}/{provider.pk}/edit", SENT | {"api_key": "", "default_model": "gpt-5-mini"})
    provider.refresh_from_db()
    assert (provider.default_model, provider.api_key) == ("gpt-5-mini", KEY)
    moved = SENT | {"api_key": "", "base_url": "https://models.example.com/v1"}
    assert "key went with the old address" in client.post(f"{LIST}/{provider.pk}/edit", moved, follow=True).text
    provider.refresh_from_db()
    assert provider.api_key is None
    assert client.post(f"{LIST}/{provider.pk}/delete", {"name": "other"}).status_code == 422
    client.post(f"{LIST}/{provider.pk}/delete", {"name": "main"})
    assert not Provider.objects.exists()


def test_a_context_window_is_entered_for_a_server_of_ones_own(admin: Caller, organization: Organization) -> None:
    client = signed_in(admin)
    small = client.post(f"{LIST}/add", SENT | {"context_window": "100"})
    assert "2,000 to 10,000,000 tokens" in small.text.split('id="id_context_window_error"')[1].split("</div>")[0]
    client.post(f"{LIST}/add", SENT | {"context_window": "8192"})
    provider = Provider.objects.get(organization=organization)
    assert provider.context_window == 8_192
    assert 'value="8192"' in client.get(f"{LIST}/{provider.pk}/edit").text
    client.post(f"{LIST}/{provider.pk}/edit", SENT | {"context_window": ""})
    provider.refresh_from_db()
    assert provider.context_window is None


def test_what_is_refused_stands_under_its_field(admin: Caller) -> None:
    answer = signed_in(admin).post(f"{LIST}/add", SENT | {"kind": "compatible"})
    assert answer.status_code == 422
    assert "needs its base URL" in answer.text.split('id="id_base_url_error"')[1].split("</div>")[0]
    assert KEY not in answer.text
    assert not Provider.objects.exists()


def test_a_test_says_what_came_of_it(admin: Caller, openai: Provider, fake: ModelProvider) -> None:
    client = signed_in(admin)
    fake.answers.append(Fault(401))
    failed = client.post(f"{LIST}/{openai.pk}/test", follow=True).text
    assert "refused the API key" in failed
    assert KEY not in failed
    assert "main:gpt-5 answered in" in client.post(f"{LIST}/{openai.pk}/test", follow=True).text


def test_the_budget_is_set_and_what_was_spent_is_shown(admin: Caller, organization: Organization) -> None:
    client = signed_in(admin)
    ModelCall.objects.create(
        organization=organization, model="main:gpt-5", product="chat", cost_usd=Decimal("3.5"), duration_ms=1
    )
    assert client.post(f"{LIST}/budget", {"monthly_usd": "-1"}).status_code == 422
    page = client.post(f"{LIST}/budget", {"monthly_usd": "3"}, follow=True).text
    assert "$3.50" in page
    assert "budget is used up" in page
    client.post(f"{LIST}/budget", {"monthly_usd": ""})
    assert not Budget.objects.exists()


@pytest.mark.parametrize("act", ["add", "budget", "{}/edit", "{}/delete", "{}/test"])
def test_members_look_and_strangers_find_nothing(act: str, member: Caller, stranger: Caller, openai: Provider) -> None:
    page = signed_in(member).get(LIST).text
    assert "main" in page
    assert "Spending" not in page
    address = f"{LIST}/{act.format(openai.pk)}"
    assert signed_in(member).post(address, SENT | {"monthly_usd": "1"}).status_code in (302, 403)
    if "{}" in act:
        assert signed_in(stranger).post(address, {"name": "main"}).status_code in (302, 404)
    before = (openai.name, openai.default_model, openai.api_key)
    openai.refresh_from_db()
    assert (openai.name, openai.default_model, openai.api_key) == before
    assert (Provider.objects.count(), Budget.objects.count(), ModelCall.objects.count()) == (1, 0, 0)


def test_a_list_of_many_asks_no_more_of_the_database(
    admin: Caller, organization: Organization, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(admin)
    Provider.objects.bulk_create(
        Provider(organization=organization, name=f"p{number}", kind="openai", default_model="gpt-5")
        for number in range(30)
    )
    with django_assert_max_num_queries(16):
        page = client.get(LIST).text
    assert page.count(">Test</button>") == 25
    assert "cursor=" in page
