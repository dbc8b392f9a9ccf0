"""Providers of models in every state that their page can show, and a month's spending."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import Organization, User
from llm.models import Budget, ModelCall, Provider

FAULT = "backup:claude-sonnet-4-6: the provider refused the API key (401). Check it under Models."


def fill(organization: Organization, person: User) -> dict[str, Sequence[object]]:
    """One that works, one that failed, one of the organization's own that is switched off and was never tested."""
    now = timezone.now()
    main = Provider.objects.create(
        organization=organization,
        name="main",
        kind="openai",
        api_key="not a real key",
        default_model="gpt-5",
        fallback_model="backup",
        is_default=True,
        tested_at=now - timedelta(hours=1),
    )
    Provider.objects.create(
        organization=organization,
        name="backup",
        kind="anthropic",
        default_model="claude-sonnet-4-6",
        tested_at=now,
        test_result=FAULT,
    )
    for name, enabled in (("our-own", False), ("new", True)):
        Provider.objects.create(
            organization=organization,
            name=name,
            kind="compatible",
            base_url="https://models.harbour.example.com/v1",
            default_model="qwen3",
            enabled=enabled,
        )
    for model, usd in (("main:gpt-5", Decimal("0.81")), ("backup:claude-sonnet-4-6", Decimal("1.24")), ("new:q", None)):
        ModelCall.objects.create(
            organization=organization,
            user=person,
            model=model,
            product="workflows",
            input_tokens=18_200,
            cached_tokens=9_000,
            output_tokens=2_100,
            cost_usd=usd,
            duration_ms=4_200,
        )
    Budget.objects.create(organization=organization, monthly_usd=Decimal(2))
    return {"provider_id": [main.pk]}
