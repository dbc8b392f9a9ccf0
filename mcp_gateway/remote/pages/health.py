"""A server's calls drawn by day, for as long as calls are kept."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import TruncDay
from django.utils import timezone

from dashboard.charts import BarChart, Point
from mcp_gateway.models import RemoteServer

# More bars than this cannot be told apart.
MOST_DAYS = 92


def chart(server: RemoteServer) -> BarChart:
    """Everybody's calls of each day, by UTC, up to today."""
    today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=ago) for ago in reversed(range(_days()))]
    counts = _counts(server, since=days[0])
    points = [Point(f"{day.day} {day:%b}", counts.get(day, 0)) for day in days]
    return BarChart("Calls by day", "calls", points)


def _days() -> int:
    return min(settings.MCP_REMOTE_CALLS_RETENTION_DAYS or MOST_DAYS, MOST_DAYS)


def _counts(server: RemoteServer, *, since: datetime) -> dict[datetime, int]:
    calls = server.calls.filter(at__gte=since).order_by()
    by_day = calls.annotate(day=TruncDay("at", tzinfo=UTC)).values("day").annotate(count=Count("pk"))
    return {row["day"]: row["count"] for row in by_day}
