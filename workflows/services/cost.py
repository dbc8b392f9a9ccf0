"""What an execution has asked of models, and what that cost as far as anybody knows."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from llm.models import ModelCall
from workflows.models import Execution


@dataclass(frozen=True, slots=True)
class Cost:
    """`usd` is of the calls whose price is known; of `unpriced` it is not."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: Decimal
    unpriced: int


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
    return Cost(**total)
