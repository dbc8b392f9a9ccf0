"""Return on investment: what a bot did in a range of time, and the hours that this is estimated to have saved."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.db import connection, transaction
from django.db.models import Q

from accounts.caller import Caller
from accounts.errors import Invalid
from accounts.scopes import Scope
from bots.models import Bot, RoiSettings, RoiSnapshot
from bots.models.activity_sql import RETURN
from bots.models.roi import DAY_IN_MINUTES
from bots.services.activity import check_range
from bots.services.bots import find_bot, find_guild
from security import audit

KEPT_RANGE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Minutes:
    """What each piece of work would have cost a person, in minutes: the owner's estimate."""

    per_answer: float
    per_ticket: float
    per_moderation: float


@dataclass(frozen=True, slots=True)
class Return:
    """Counts are facts; `hours_saved` is an estimate from them and the owner's minutes."""

    bot_messages: int
    answers: int
    ai_tokens: int
    tickets: int
    moderations: int
    cohort_size: int
    members_retained: int
    minutes: Minutes

    @property
    def hours_saved(self) -> float:
        minutes = (
            self.answers * self.minutes.per_answer
            + self.tickets * self.minutes.per_ticket
            + self.moderations * self.minutes.per_moderation
        )
        return round(minutes / 60, 2)


def get_snapshot(caller: Caller, *, bot_id: int, start: datetime, end: datetime, guild_id: int | None = None) -> Return:
    """What the bot did from `start` up to and without `end`, computed now; `guild_id` is Discord's."""
    caller.require(Scope.READ)
    check_range(start, end)
    found = _compute(bot_id, owner_id=caller.user_id, guild_id=guild_id, start=start, end=end)
    if found is None:
        bot = find_bot(caller, bot_id)
        find_guild(bot, guild_id or 0)
        raise AssertionError("A bot and guild that are there give a row.")
    return found


def get_minutes(caller: Caller, *, bot_id: int) -> Minutes:
    """The minutes that the estimate reckons with."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    return _minutes(RoiSettings.objects.filter(bot=bot).first() or RoiSettings(bot=bot))


def set_minutes(caller: Caller, *, bot_id: int, minutes: Minutes) -> Minutes:
    """Change the minutes that the estimate reckons with. Snapshots kept before stay as they were."""
    caller.require(Scope.WRITE)
    bot = find_bot(caller, bot_id)
    for value in (minutes.per_answer, minutes.per_ticket, minutes.per_moderation):
        if not 0 <= value <= DAY_IN_MINUTES:
            raise Invalid(f"{value:g} minutes is out of range: give 0 to {DAY_IN_MINUTES} for each.")
    with transaction.atomic():
        RoiSettings.objects.update_or_create(
            bot=bot,
            defaults={
                "minutes_per_answer": minutes.per_answer,
                "minutes_per_ticket": minutes.per_ticket,
                "minutes_per_moderation": minutes.per_moderation,
            },
        )
        audit.record("roi.set_minutes", caller=caller, target=f"bot:{bot.pk}")
    return minutes


def keep_snapshots(day: date, *, bots: Iterable[Bot] | None = None) -> int:
    """Keep the return of the 30 days that end with `day` for every bot, or these `bots`, and each of its guilds.

    Computing it again replaces it. Returns how many were kept.
    """
    end = datetime.combine(day + timedelta(days=1), time(), UTC)
    kept = 0
    if bots is None:
        bots = Bot.objects.exclude(status=Bot.Status.DISABLED).prefetch_related("guilds").iterator(chunk_size=200)
    for bot in bots:
        for guild in [None, *bot.guilds.all()]:
            found = _compute(
                bot.pk,
                owner_id=bot.owner_id,
                guild_id=guild.discord_id if guild else None,
                start=end - KEPT_RANGE,
                end=end,
            )
            if found is not None:
                RoiSnapshot.objects.update_or_create(bot=bot, guild=guild, day=day, defaults=_columns(found))
                kept += 1
    return kept


def kept_snapshots(caller: Caller, *, bot_id: int, since: date) -> list[RoiSnapshot]:
    """The whole bot's snapshots from `since` on, oldest first."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    return list(RoiSnapshot.objects.filter(Q(bot=bot), guild=None, day__gte=since).order_by("day"))


def _compute(bot_id: int, *, owner_id: int, guild_id: int | None, start: datetime, end: datetime) -> Return | None:
    usual = RoiSettings()
    with connection.cursor() as cursor:
        cursor.execute(
            RETURN,
            {
                "bot": bot_id,
                "guild": guild_id,
                "owner": owner_id,
                "start": start,
                "end": end,
                "minutes_per_answer": usual.minutes_per_answer,
                "minutes_per_ticket": usual.minutes_per_ticket,
                "minutes_per_moderation": usual.minutes_per_moderation,
            },
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Return(
        bot_messages=row[0],
        answers=row[1],
        ai_tokens=row[2],
        tickets=row[3],
        moderations=row[4],
        cohort_size=row[5],
        members_retained=row[6],
        minutes=Minutes(per_answer=float(row[7]), per_ticket=float(row[8]), per_moderation=float(row[9])),
    )


def _columns(found: Return) -> dict[str, int | float]:
    return {
        "bot_messages": found.bot_messages,
        "members_retained": found.members_retained,
        "cohort_size": found.cohort_size,
        "ai_tokens": found.ai_tokens,
        "answers": found.answers,
        "tickets": found.tickets,
        "moderations": found.moderations,
        "hours_saved": found.hours_saved,
    }


def _minutes(row: RoiSettings) -> Minutes:
    return Minutes(row.minutes_per_answer, row.minutes_per_ticket, row.minutes_per_moderation)
