"""What an organization spends on models in a month, and how much it may.

Calls of long ago are summed up by day (`llm.retention`), so a month is read from both kinds of rows.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, F, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Forbidden, Invalid
from accounts.scopes import Scope
from accounts.services.organizations import administered, is_admin, organization_of
from llm.models import Budget, ModelCall, ModelDay
from llm.services.thinking import first_of_month
from security import audit

MOST_MODELS = 20
LARGEST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model's answers of a month."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Spending:
    """A calendar month, UTC, this one as far as it has come. `unpriced` answers cost something that nobody knows."""

    since: date
    is_over: bool
    usd: Decimal
    budget_usd: Decimal | None
    calls: int
    unpriced: int
    models: Sequence[ModelUse]
    days: Sequence[tuple[date, Decimal]]

    @property
    def is_used_up(self) -> bool:
        return not self.is_over and self.budget_usd is not None and self.usd >= self.budget_usd


def spending(caller: Caller, *, organization_id: UUID, month: date | None = None) -> Spending:
    """For admins: what was spent in the month that the day lies in, by model (those that cost most) and by day."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    if not is_admin(caller, organization.pk):
        raise Forbidden(f"Only an admin of {organization.name} sees what it spends. Ask one of them.")
    this_month = first_of_month().date()
    since = min(month or this_month, this_month).replace(day=1)
    until = _month_after(since)
    uses = list(_uses(organization.pk, since, until))
    by_model: dict[str, _Sum] = defaultdict(_Sum)
    by_day: dict[date, _Sum] = defaultdict(_Sum)
    total = _Sum()
    for use in uses:
        for into in (by_model[use["model"]], by_day[use["on"]], total):
            into.add(use)
    last = min(until - timedelta(days=1), timezone.now().astimezone(UTC).date())
    days = [since + timedelta(days=number) for number in range((last - since).days + 1)]
    budget = Budget.objects.filter(organization=organization).first()
    ordered = sorted(by_model.items(), key=lambda item: (-item[1].usd, -item[1].calls, item[0]))
    return Spending(
        since=since,
        is_over=since < this_month,
        usd=total.usd,
        budget_usd=budget.monthly_usd if budget else None,
        calls=total.calls,
        unpriced=total.unpriced,
        models=[model.use_of(name) for name, model in ordered[:MOST_MODELS]],
        days=[(day, by_day[day].usd) for day in days],
    )


@dataclass(slots=True)
class _Sum:
    """What some calls come to."""

    calls: int = 0
    unpriced: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: Decimal = Decimal(0)

    def add(self, use: Mapping[str, Any]) -> None:
        self.calls += use["count"]
        self.unpriced += use["without"]
        self.input_tokens += use["read"]
        self.output_tokens += use["written"]
        self.usd += use["usd"] or 0

    def use_of(self, model: str) -> ModelUse:
        usd = None if self.calls == self.unpriced else self.usd
        return ModelUse(model, self.calls, self.input_tokens, self.output_tokens, usd)


def _uses(organization_id: int, since: date, until: date) -> Iterator[Mapping[str, Any]]:
    """The month's calls by day and model: those that are kept one by one, and those that were summed up."""
    begin, end = (datetime.combine(day, time(), UTC) for day in (since, until))
    tokens = {"read": Sum("input_tokens"), "written": Sum("output_tokens"), "usd": Sum("cost_usd")}
    calls = ModelCall.objects.filter(organization_id=organization_id, at__gte=begin, at__lt=end)
    by_day = calls.annotate(on=TruncDate("at", tzinfo=UTC)).values("on", "model")
    yield from by_day.annotate(count=Count("pk"), without=Count("pk", filter=Q(cost_usd=None)), **tokens)
    days = ModelDay.objects.filter(organization_id=organization_id, day__gte=since, day__lt=until)
    of_days = days.annotate(on=F("day")).values("on", "model")
    yield from of_days.annotate(count=Sum("calls"), without=Sum("unpriced"), **tokens)


def _month_after(first: date) -> date:
    return (first + timedelta(days=32)).replace(day=1)


def set_budget(caller: Caller, *, organization_id: UUID, monthly_usd: Decimal | None) -> None:
    """What may be spent in a month; nothing takes the limit away. It holds from the next question on."""
    if monthly_usd is not None and not 0 <= monthly_usd <= LARGEST:
        raise Invalid("A budget is from $0 to $1,000,000 a month.", data={"field": "monthly_usd"})
    organization = organization_of(caller, organization_id)
    with transaction.atomic():
        administered(caller, organization.pk)
        if monthly_usd is None:
            Budget.objects.filter(organization=organization).delete()
        else:
            Budget.objects.update_or_create(organization=organization, defaults={"monthly_usd": monthly_usd})
        audit.record(
            "model_budget.set",
            caller=caller,
            target=f"organization:{organization.pk}",
            detail={"monthly_usd": None if monthly_usd is None else str(monthly_usd)},
        )
