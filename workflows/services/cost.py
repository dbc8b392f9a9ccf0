"""What an execution has asked of models, and what that cost as far as anybody knows."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from llm.models import ModelCall
from workflows.models import Execution


@dataclass(frozen=True, slots=True)
class Cost:
    """`usd` is of the calls whose price is known; of `unpriced` it is not.

    `kept_days` says how long calls are kept one by one, where some of this execution's may be older: those are counted
    no more, or 0.
    """

    calls: int
    input_tokens: int
    output_tokens: int
    usd: Decimal
    unpriced: int
    kept_days: int = 0


def cost_of(execution: Execution) -> Cost:
    """Of an execution that was found as the caller's."""
    calls = ModelCall.objects.filter(organization_id=execution.organization_id, subject=str(execution.pk))
    total = calls.aggregate(
        calls=Count("id"),
        input_tokens=Sum("input_tokens", default=0),
        output_tokens=Sum("output_tokens", default=0),
        usd=Sum("cost_usd", default=Decimal(0)),
        unpriced=Count("id", filter=Q(cost_usd=None)),
    )
    return Cost(**total, kept_days=_kept_days(execution))


def _kept_days(execution: Execution) -> int:
    days: int = settings.MODEL_CALLS_RETENTION_DAYS
    return days if days and execution.created_at < timezone.now() - timedelta(days=days) else 0
