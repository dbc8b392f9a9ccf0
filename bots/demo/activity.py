"""The demo's activity: busy evenings, busier weekends, an event, and commands of which a few fail."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import exp
from random import Random

from bots.demo.guilds import Scene
from bots.models import ActivityBucket, Bot, CommandInvocation, MemberDay
from bots.services import roi

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# How lively each hour of a UTC day is, midnight first.
RHYTHM = (4, 2, 1, 1, 1, 1, 2, 4, 6, 7, 8, 9, 10, 9, 9, 10, 12, 15, 19, 23, 25, 22, 15, 8)
WEEKDAYS = (0.85, 0.8, 0.9, 0.95, 1.2, 1.5, 1.35)
# A tournament so many days ago, and how much it added.
EVENT_DAYS_AGO, EVENT = 17, 1.9
COMMANDS = ("rank", "help", "ticket", "redeem", "daily", "profile", "leaderboard")
FAILURES = ("timeout", "missing_permissions", "unknown_interaction")
RETURNS_KEPT_DAYS = 30


def make(scene: Scene, chance: Random) -> None:
    ActivityBucket.objects.bulk_create(_buckets(scene, chance), batch_size=2_000)
    CommandInvocation.objects.bulk_create(_invocations(scene, chance), batch_size=2_000)
    MemberDay.objects.bulk_create(_member_days(scene, chance), batch_size=2_000)


def keep_returns(bot: Bot, now: datetime) -> None:
    """Snapshots of the last days, as the nightly task would have kept them."""
    for days_ago in range(RETURNS_KEPT_DAYS, 0, -1):
        roi.keep_snapshots((now - timedelta(days=days_ago)).date(), bots=[bot])


def _liveliness(scene: Scene, hour: datetime) -> float:
    """How much happens in this hour, 1 being an ordinary one. It grows a little over the weeks."""
    days_ago = (scene.now - hour) / DAY
    event = 1 + (EVENT - 1) * exp(-((days_ago - EVENT_DAYS_AGO) ** 2))
    growth = 1.25 - 0.4 * days_ago / scene.days
    return RHYTHM[hour.hour] / 9.3 * WEEKDAYS[hour.weekday()] * event * growth


def _hours(scene: Scene) -> Iterator[datetime]:
    hour = scene.start.replace(minute=0, second=0, microsecond=0)
    while hour <= scene.now:
        yield hour
        hour += HOUR


def _buckets(scene: Scene, chance: Random) -> Iterator[ActivityBucket]:
    texts, voices = len(scene.place.text_channels), len(scene.place.voice_channels)
    for hour in _hours(scene):
        lively = _liveliness(scene, hour) * scene.place.liveliness
        for channel in range(texts):
            messages = int(lively / (channel + 1) * chance.uniform(0.6, 1.4))
            bot_messages = int(messages * 0.08 + chance.random())
            answers = int(bot_messages * 0.5 + chance.random() * 0.4)
            if messages or bot_messages:
                yield ActivityBucket(
                    bot=scene.guild.bot,
                    guild=scene.guild,
                    channel_id=scene.channel_id(channel),
                    hour=hour,
                    messages=messages,
                    bot_messages=bot_messages,
                    bot_answers=answers,
                    commands=int(messages * 0.05 + chance.random() * 0.5),
                    ai_tokens=answers * chance.randint(70, 190),
                )
        for channel in range(texts, texts + voices):
            seconds = int(lively * chance.uniform(0, 260))
            if hour.hour >= 15 and seconds:
                yield ActivityBucket(
                    bot=scene.guild.bot,
                    guild=scene.guild,
                    channel_id=scene.channel_id(channel),
                    hour=hour,
                    voice_seconds=seconds,
                )


def _invocations(scene: Scene, chance: Random) -> Iterator[CommandInvocation]:
    for hour in _hours(scene):
        for _ in range(int(_liveliness(scene, hour) * scene.place.liveliness / 12 + chance.random())):
            at = hour + timedelta(seconds=chance.randint(0, 3_599))
            failed = chance.random() < 0.025
            if at <= scene.now:
                yield CommandInvocation(
                    bot=scene.guild.bot,
                    guild=scene.guild,
                    user_id=chance.choice(scene.members).user_id,
                    command=chance.choice(COMMANDS),
                    succeeded=not failed,
                    error_code=chance.choice(FAILURES) if failed else "",
                    latency_ms=int(chance.lognormvariate(4.1, 0.5)),
                    at=at,
                )


def _member_days(scene: Scene, chance: Random) -> Iterator[MemberDay]:
    today = scene.now.date()
    for member in scene.members:
        # Some are there nearly every day, most now and then.
        eagerness = chance.betavariate(1.2, 2.6)
        for days_ago in range(scene.days, -1, -1):
            day = today - timedelta(days=days_ago)
            was_there = member.joined_at.date() <= day and (member.left_at is None or day <= member.left_at.date())
            if was_there and chance.random() < eagerness:
                yield MemberDay(
                    membership=member,
                    day=day,
                    messages=chance.randint(1, 30),
                    voice_seconds=chance.choice((0, 0, 0, 1_800)),
                )
