"""What was asked of a server lately, and how it did: for its page and for programs. Rows are kept for a month."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, FloatField, Q
from django.utils import timezone

from accounts.caller import Caller
from dashboard.numbered_pages import NumberedPage, numbered
from mcp_gateway.models import RemoteCall
from mcp_gateway.remote.services.servers import find_server

Outcome = RemoteCall.Outcome
DAY, WEEK = timedelta(days=1), timedelta(days=7)
# Cancelled by us: it says nothing about the server.
ANSWERED = ~Q(outcome=Outcome.CANCELLED)
ERRORS = Q(outcome__in=[Outcome.FAILED, Outcome.TOOL_ERROR])


@dataclass(frozen=True, slots=True)
class Health:
    """A span of time: how many calls there were, how many of them ended in an error, and how long they took."""

    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class ServerHealth:
    day: Health
    week: Health
    last_success_at: datetime | None


class Percentile(Aggregate):
    """PostgreSQL's percentile_cont of an expression."""

    function = "percentile_cont"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = FloatField()

    def __init__(self, expression: str, fraction: float, **options: Any) -> None:
        super().__init__(expression, fraction=fraction, **options)


def health(caller: Caller, *, server_id: int) -> ServerHealth:
    """How the server did in the last 24 hours and 7 days, for everybody's calls together."""
    calls = find_server(caller, server_id=server_id).calls.order_by()
    now = timezone.now()
    last = calls.filter(outcome=Outcome.OK).order_by("-at", "-id").values_list("at", flat=True).first()
    spans = (Q(at__gt=now - DAY), Q(at__gt=now - WEEK))
    found = calls.filter(spans[-1]).aggregate(
        **{
            f"{name}_{number}": measure
            for number, span in enumerate(spans)
            for name, measure in (
                ("calls", Count("pk", filter=span)),
                ("errors", Count("pk", filter=span & ERRORS)),
                ("p50", Percentile("duration_ms", 0.5, filter=span & ANSWERED)),
                ("p95", Percentile("duration_ms", 0.95, filter=span & ANSWERED)),
            )
        }
    )
    day, week = (
        Health(found[f"calls_{number}"], found[f"errors_{number}"], found[f"p50_{number}"], found[f"p95_{number}"])
        for number in range(2)
    )
    return ServerHealth(day, week, last)


def recent_calls(caller: Caller, *, server_id: int, page: int = 1, page_size: int = 25) -> NumberedPage[RemoteCall]:
    """Everybody's calls, the newest first: who, which tool, how long, how it ended; never what was said."""
    calls = find_server(caller, server_id=server_id).calls.select_related("user")
    return numbered(calls, order=("-at", "-id"), number=page, size=page_size)
