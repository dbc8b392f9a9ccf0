"""Old calls of models are summed up by day, and the accounts say what they said before."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.utils import timezone
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Organization
from llm import retention, tasks
from llm.models import ModelCall, ModelDay
from llm.services import spending
from llm.services.thinking import first_of_month, spent_this_month
from tests.factories import OrganizationFactory
from tests.pages import signed_in

LONG_AGO = first_of_month() - timedelta(days=150)


def called(organization: Organization, at: datetime, model: str = "main:a", usd: str | None = "0.5") -> None:
    ModelCall.objects.create(
        organization=organization,
        model=model,
        product="workflows",
        at=at,
        input_tokens=100,
        cached_tokens=40,
        output_tokens=7,
        cost_usd=None if usd is None else Decimal(usd),
        duration_ms=1,
    )


def told(admin: Caller, organization: Organization, month: datetime) -> spending.Spending:
    return spending.spending(admin, organization_id=organization.uid, month=month.date())


def test_a_month_reads_the_same_before_and_after_its_calls_were_summed_up(
    admin: Caller, organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    first = LONG_AGO.replace(day=10, hour=23, minute=59)
    for _ in range(3):
        called(organization, first)
        called(organization, first + timedelta(minutes=2), usd="0.25")
        called(organization, first, model="new:b", usd=None)
    called(OrganizationFactory(), first, usd="99")
    before = told(admin, organization, first)
    assert (before.usd, before.calls, before.unpriced) == (Decimal("2.25"), 9, 3)
    tasks.sum_up_calls()
    assert not ModelCall.objects.exists()
    assert told(admin, organization, first) == before
    days = ModelDay.objects.filter(organization=organization).order_by("day", "model")
    assert list(days.values_list("day__day", "model", "calls", "unpriced", "input_tokens", "cost_usd")) == [
        (10, "main:a", 3, 0, 300, Decimal("1.5")),
        (10, "new:b", 3, 3, 300, Decimal(0)),
        (11, "main:a", 3, 0, 300, Decimal("0.75")),
    ]


def test_calls_that_come_late_are_added_to_their_day(organization: Organization) -> None:
    for _ in range(2):
        called(organization, LONG_AGO)
        tasks.sum_up_calls()
    day = ModelDay.objects.get()
    assert (day.calls, day.output_tokens, day.cost_usd) == (2, 14, Decimal(1))


def test_the_month_under_way_is_kept_call_by_call_however_little_is_kept(
    organization: Organization, settings: Settings
) -> None:
    settings.MODEL_CALLS_RETENTION_DAYS = 1
    called(organization, first_of_month())
    called(organization, first_of_month() - timedelta(seconds=1), usd="3")
    tasks.sum_up_calls()
    assert ModelCall.objects.get().at == first_of_month()
    assert spent_this_month(organization.pk) == Decimal("0.5")
    assert ModelDay.objects.get().cost_usd == 3


def test_calls_within_their_days_and_with_no_end_of_them_stay(organization: Organization, settings: Settings) -> None:
    called(organization, timezone.now() - timedelta(days=settings.MODEL_CALLS_RETENTION_DAYS - 1))
    tasks.sum_up_calls()
    settings.MODEL_CALLS_RETENTION_DAYS = 0
    called(organization, datetime(2020, 1, 1, tzinfo=UTC))
    tasks.sum_up_calls()
    assert ModelCall.objects.aggregate(sum=Sum("cost_usd"))["sum"] == 1
    assert not ModelDay.objects.exists()


def test_the_page_goes_back_to_earlier_months(admin: Caller, organization: Organization) -> None:
    called(organization, LONG_AGO, usd="12.34")
    tasks.sum_up_calls()
    client = signed_in(admin)
    shown = client.get("/dashboard/models", {"month": f"{LONG_AGO:%Y-%m}"}).text
    assert "$12.34" in shown
    assert "Month after" in shown
    for month in ("", "2026-13", "9999-12", "0001-01", "x"):
        shown = client.get("/dashboard/models", {"month": month}).text
        assert "$0.00" in shown
        assert "This month" in shown
        assert "Month after" not in shown
