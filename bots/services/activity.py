"""Activity over time: what members wrote, spoke and asked of the bot."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import connection

from accounts.caller import Caller
from accounts.errors import Invalid
from accounts.scopes import Scope
from bots.models.activity_sql import TIMELINE
from bots.services.bots import find_bot, find_guild

LONGEST_RANGE = timedelta(days=366)


class Bucket(StrEnum):
    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Point:
    """What happened in the hour or UTC day that begins at `start`."""

    start: datetime
    messages: int
    voice_seconds: int
    commands: int


def get_activity(
    caller: Caller,
    *,
    bot_id: int,
    start: datetime,
    end: datetime,
    bucket: Bucket = Bucket.DAY,
    guild_id: int | None = None,
) -> list[Point]:
    """Every bucket from `start` up to and without `end`, empty ones as zeros; `guild_id` is Discord's."""
    caller.require(Scope.READ)
    check_range(start, end)
    with connection.cursor() as cursor:
        cursor.execute(
            TIMELINE,
            {
                "bot": bot_id,
                "guild": guild_id,
                "owner": caller.user_id,
                "start": start,
                "end": end,
                "unit": bucket.value,
            },
        )
        points = [Point(*row) for row in cursor.fetchall()]
    if not points:  # A range is never empty, so the bot or the guild is not the caller's; these say which.
        bot = find_bot(caller, bot_id)
        if guild_id is not None:
            find_guild(bot, guild_id)
    return points


def check_range(start: datetime, end: datetime) -> None:
    """Raise `Invalid` unless the range runs forward and is no longer than may be asked for."""
    if start >= end:
        raise Invalid("The range is empty: `from` has to lie before `to`.", code="empty_range")
    if end - start > LONGEST_RANGE:
        raise Invalid(f"The range is longer than {LONGEST_RANGE.days} days. Ask for it in parts.", code="long_range")
