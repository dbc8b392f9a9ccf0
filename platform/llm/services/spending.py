"""What an organization spends on models in a month, and how much it may."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Forbidden, Invalid
from accounts.models import Membership, Role
from accounts.scopes import Scope
from accounts.services.organizations import administered, organization_of
from llm.models import Budget, ModelCall
from llm.services.thinking import first_of_month
from security import audit

MOST_MODELS = 20
LARGEST = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class ModelUse:
    """A model's answers of this month."""

    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Spending:
    """The calendar month so far, UTC. `unpriced` answers cost something that nobody knows the price of."""

    since: date
    usd: Decimal
    budget_usd: Decimal | None
    calls: int
    unpriced: int
    models: Sequence[ModelUse]
    days: Sequence[tuple[date, Decimal]]

    @property
    def is_used_up(self) -> bool:
        return self.budget_usd is not None and self.usd >= self.budget_usd


def spending(caller: Caller, *, organization_id: UUID) -> Spending:
    """For admins: what was spent, by model (those that cost most) and by day."""
    caller.require(Scope.READ)
    organization = organization_of(caller, organization_id)
    if not is_admin(caller, organization.pk):
        raise Forbidden(f"Only an admin of {organization.name} sees what it spends. Ask one of them.")
    since = first_of_month()
    calls = ModelCall.objects.filter(organization=organization, at__gte=since)
    total = calls.aggregate(usd=Sum("cost_usd"), count=Count("pk"), unpriced=Count("pk", filter=Q(cost_usd=None)))
    by_model = calls.values("model").annotate(
        count=Count("pk"), read=Sum("input_tokens"), written=Sum("output_tokens"), usd=Sum("cost_usd")
    )
    ordered = sorted(by_model, key=lambda row: (-(row["usd"] or 0), -row["count"], row["model"]))
    by_day = dict(
        calls.annotate(day=TruncDate("at", tzinfo=UTC))
        .values("day")
        .annotate(usd=Sum("cost_usd"))
        .values_list("day", "usd")
    )
    days = [since.date() + timedelta(days=number) for number in range((timezone.now().date() - since.date()).days + 1)]
    budget = Budget.objects.filter(organization=organization).first()
    return Spending(
        since=since.date(),
        usd=total["usd"] or Decimal(0),
        budget_usd=budget.monthly_usd if budget else None,
        calls=total["count"],
        unpriced=total["unpriced"],
        models=[
            ModelUse(row["model"], row["count"], row["read"], row["written"], row["usd"])
            for row in ordered[:MOST_MODELS]
        ],
        days=[(day, by_day.get(day) or Decimal(0)) for day in days],
    )


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


def is_admin(caller: Caller, organization_id: int) -> bool:
    """Whether pages offer what only admins may; each service decides for itself."""
    return Membership.objects.filter(organization_id=organization_id, user_id=caller.user_id, role=Role.ADMIN).exists()
