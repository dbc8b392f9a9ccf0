"""What questions cost, by the operator's price or the library's; nothing is asked beyond quota and budget."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import PlanLimit
from accounts.models import Organization, Plan
from llm.models import Budget, ModelCall, Price, Provider
from llm.services.thinking import spent_this_month
from tests.fakes.model_provider import ModelProvider
from tests.llm.asking import think


def test_an_operators_own_price_goes_before_the_librarys(
    organization: Organization, openai: Provider, fake: ModelProvider
) -> None:
    openai.default_model = "nobody-knows-it"
    openai.save()
    think(organization)
    assert ModelCall.objects.get().cost_usd is None
    price = Price.objects.create(model="compatible:nobody-knows-it", input_usd=Decimal(2), output_usd=Decimal(8))
    think(organization)
    assert ModelCall.objects.latest("pk").cost_usd == Decimal("0.00028")
    price.cached_input_usd = Decimal("0.5")
    price.save()
    think(organization)
    assert ModelCall.objects.latest("pk").cost_usd == Decimal("0.00022")
    assert spent_this_month(organization.pk) == Decimal("0.0005")


def test_nothing_is_asked_once_the_quota_is_used_up(
    organization: Organization, openai: Provider, fake: ModelProvider, member: Caller
) -> None:
    Plan.objects.filter(code="FREE").update(monthly_ai_tokens=110)
    think(organization, user_id=member.user_id)
    with pytest.raises(PlanLimit):
        think(organization, user_id=member.user_id)
    assert len(fake.seen) == 1


def test_nothing_is_asked_once_the_budget_is_spent(
    organization: Organization, openai: Provider, fake: ModelProvider
) -> None:
    Budget.objects.create(organization=organization, monthly_usd=Decimal("1.00"))
    spent = {"organization": organization, "model": "main:gpt-5", "product": "workflows", "duration_ms": 1}
    last_month = timezone.now().replace(day=1, hour=0, minute=0, second=0) - timedelta(minutes=1)
    ModelCall.objects.create(**spent, cost_usd=Decimal(5), at=last_month)
    think(organization)
    ModelCall.objects.create(**spent, cost_usd=Decimal(1))
    with pytest.raises(PlanLimit) as caught:
        think(organization)
    assert (caught.value.data["limit"], len(fake.seen)) == ("model_budget", 1)
