"""A bot's activity over time, drawn by day or by hour."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.caller import Caller
from accounts.page_caller import caller
from bots.models import Bot, Guild
from bots.pages.frame import bot_page, chosen, chosen_guild, guilds_of
from bots.services.activity import Bucket, get_activity
from bots.services.bots import find_bot
from dashboard.charts import BarChart, Point, format_number

WEEK = 7
YEAR = 52 * WEEK
# The ranges offered, in days; the short ones are drawn by hour, the longest by week.
PERIODS = {"1": "24 hours", "7": "7 days", "30": "30 days", "90": "90 days", str(YEAR): "52 weeks"}
DEFAULT_DAYS = 30
LONGEST_BY_HOUR = 7


@dataclass(frozen=True, slots=True)
class Period:
    """The last so many days up to the end of the hour or day that is now, so that every bucket is a whole one."""

    days: int
    start: datetime
    end: datetime
    bucket: Bucket

    @classmethod
    def of(cls, days: int) -> "Period":
        now = timezone.now().astimezone(UTC)
        if days <= LONGEST_BY_HOUR:
            end = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
            return cls(days, end - timedelta(days=days), end, Bucket.HOUR)
        end = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return cls(days, end - timedelta(days=days), end, Bucket.DAY)

    def label(self, start: datetime) -> str:
        if self.bucket is Bucket.HOUR:
            return f"{start.day} {start:%b %H:%M}"
        return f"{start.day} {start:%b}" if self.days < YEAR else f"{start.day} {start:%b %Y}"

    @property
    def buckets_in_bar(self) -> int:
        return WEEK if self.days >= YEAR else 1

    @property
    def unit(self) -> str:
        """What one bar stands for."""
        return "week" if self.buckets_in_bar == WEEK else self.bucket.value


def charts(who: Caller, bot: Bot, period: Period, *, guild: Guild | None) -> list[BarChart]:
    """Messages, voice minutes and commands of the period."""
    timeline = get_activity(
        who,
        bot_id=bot.pk,
        start=period.start,
        end=period.end,
        bucket=period.bucket,
        guild_id=guild.discord_id if guild else None,
    )
    step = period.buckets_in_bar
    bars = [timeline[first : first + step] for first in range(0, len(timeline), step)]
    labels = [period.label(rows[0].start) for rows in bars]
    series = (
        ("Messages", "messages", [sum(row.messages for row in rows) for rows in bars]),
        ("Voice", "minutes", [round(sum(row.voice_seconds for row in rows) / 60) for rows in bars]),
        ("Commands", "commands", [sum(row.commands for row in rows) for rows in bars]),
    )
    return [
        BarChart(
            title,
            unit,
            [Point(label, value, format_number(value)) for label, value in zip(labels, values, strict=True)],
        )
        for title, unit, values in series
    ]


@require_safe
@login_required
def activity(request: HttpRequest, bot_id: int) -> HttpResponse:
    who = caller(request)
    bot = find_bot(who, bot_id)
    guilds = guilds_of(bot)
    guild = chosen_guild(request, guilds)
    days = chosen(request, "days", PERIODS) or str(DEFAULT_DAYS)
    period = Period.of(int(days))
    context = {
        "charts": charts(who, bot, period, guild=guild),
        "period": period,
        "periods": PERIODS,
        "days": days,
        "guilds": guilds,
        "guild": guild,
    }
    return bot_page(request, "bots/activity.html", bot, context, tab="bots:activity")
