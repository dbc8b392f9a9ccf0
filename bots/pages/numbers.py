"""The quick numbers beside each bot in a list, from one query however many bots there are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.caller import Caller
from bots.models import ActivityBucket, Bot, CommandInvocation, Guild, Ticket


@dataclass(frozen=True, slots=True)
class BotLine:
    bot: Bot
    guilds: int
    open_tickets: int
    commands_today: int
    last_active: datetime | None


def bot_lines(caller: Caller) -> list[BotLine]:
    """The caller's bots by name, each with its numbers of now and of the last 24 hours."""
    since = timezone.now() - timedelta(hours=24)
    # The newest hour stands at the end of the index (bot, hour, …).
    newest = ActivityBucket.objects.filter(bot=OuterRef("pk")).order_by("-hour").values("hour")[:1]
    bots = Bot.objects.for_caller(caller).order_by("name", "id")
    numbers = bots.annotate(
        guilds_now=_count(Guild.objects.joined()),
        tickets_now=_count(Ticket.objects.exclude(status=Ticket.Status.CLOSED)),
        commands_today=_count(CommandInvocation.objects.filter(at__gte=since)),
        newest_hour=Subquery(newest),
    ).values_list("pk", "guilds_now", "tickets_now", "commands_today", "newest_hour")
    of_bot = {pk: rest for pk, *rest in numbers}
    return [BotLine(bot, *of_bot[bot.pk]) for bot in bots if bot.pk in of_bot]


def open_tickets(caller: Caller, *, limit: int) -> list[Ticket]:
    """The newest tickets of all the caller's bots that somebody still has to do something about."""
    tickets = Ticket.objects.for_caller(caller).exclude(status=Ticket.Status.CLOSED).select_related("bot", "guild")
    return list(tickets.order_by("-created_at", "-id")[:limit])


def _count(rows: QuerySet) -> Coalesce:  # type: ignore[type-arg]
    counted = rows.filter(bot=OuterRef("pk")).order_by().values("bot").annotate(rows=Count("*")).values("rows")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)
