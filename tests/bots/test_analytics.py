"""Numbers: timelines without gaps, statistics by window, and a return that can be reckoned by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.errors import Invalid, NotFound
from accounts.models import TokenUsage
from bots.models import CommandInvocation, RoiSnapshot
from bots.services import activity, retention, roi, stats, subscription
from bots.services.activity import Bucket
from bots.services.roi import Minutes
from tests.bots.factories import (
    ActivityBucketFactory,
    BotFactory,
    CommandInvocationFactory,
    GuildFactory,
    GuildMembershipFactory,
    ModerationCaseFactory,
    TicketFactory,
    active_on,
    caller_for,
    subscribe,
)

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_timeline_has_every_bucket_and_zeros_where_nothing_happened() -> None:
    guild = GuildFactory()
    ActivityBucketFactory(guild=guild, hour=START + HOUR, messages=3, voice_seconds=90, commands=1)
    ActivityBucketFactory(guild=guild, hour=START + HOUR, messages=4)
    points = activity.get_activity(
        caller_for(guild.bot.owner), bot_id=guild.bot_id, start=START, end=START + 3 * HOUR, bucket=Bucket.HOUR
    )
    assert [(p.start, p.messages, p.voice_seconds, p.commands) for p in points] == [
        (START, 0, 0, 0),
        (START + HOUR, 7, 90, 1),
        (START + 2 * HOUR, 0, 0, 0),
    ]


def test_days_are_utc_days_whatever_the_offset_of_the_question() -> None:
    guild = GuildFactory()
    ActivityBucketFactory(guild=guild, hour=START + 23 * HOUR, messages=5)
    ActivityBucketFactory(guild=guild, hour=START + DAY, messages=7)
    asked = datetime.fromisoformat("2026-03-01T02:00:00+02:00")
    points = activity.get_activity(caller_for(guild.bot.owner), bot_id=guild.bot_id, start=asked, end=asked + 2 * DAY)
    assert [(p.start, p.messages) for p in points] == [(START, 5), (START + DAY, 7)]


def test_a_timeline_counts_one_guild_where_one_is_named_and_never_a_strangers() -> None:
    guild = GuildFactory()
    other = GuildFactory(bot=guild.bot)
    foreign = GuildFactory(discord_id=guild.discord_id)
    for where, messages in ((guild, 1), (other, 10), (foreign, 100)):
        ActivityBucketFactory(guild=where, hour=START, messages=messages)
    caller = caller_for(guild.bot.owner)

    def total(**narrowed: Any) -> int:
        points = activity.get_activity(caller, bot_id=guild.bot_id, start=START, end=START + DAY, **narrowed)
        return sum(point.messages for point in points)

    assert total() == 11
    assert total(guild_id=guild.discord_id) == 1
    with pytest.raises(NotFound):
        total(guild_id=foreign.discord_id + 10**6)
    with pytest.raises(NotFound):
        activity.get_activity(caller_for(foreign.bot.owner), bot_id=guild.bot_id, start=START, end=START + DAY)


@pytest.mark.parametrize(
    ("length", "allowed"), [(366 * DAY, True), (366 * DAY + HOUR, False), (0 * DAY, False), (-DAY, False)]
)
def test_a_range_runs_forward_and_for_366_days_at_most(length: timedelta, allowed: bool) -> None:
    bot = BotFactory()
    caller = caller_for(bot.owner)
    if allowed:
        assert len(activity.get_activity(caller, bot_id=bot.pk, start=START, end=START + length)) == 366
        return
    with pytest.raises(Invalid):
        activity.get_activity(caller, bot_id=bot.pk, start=START, end=START + length)


def test_a_timeline_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    bot = BotFactory()
    with django_assert_num_queries(1):
        activity.get_activity(caller_for(bot.owner), bot_id=bot.pk, start=START, end=START + DAY)


def test_the_summary_counts_commands_and_errors_by_window() -> None:
    guild = GuildFactory()
    GuildFactory(bot=guild.bot, left_at=timezone.now())
    now = timezone.now()
    for age, succeeded in ((HOUR, True), (2 * HOUR, False), (3 * DAY, False), (20 * DAY, True), (31 * DAY, False)):
        CommandInvocationFactory(bot=guild.bot, at=now - age, succeeded=succeeded)
    CommandInvocationFactory()
    summary = stats.get_bot_summary(caller_for(guild.bot.owner), bot_id=guild.bot_id)
    assert [found.pk for found in summary.guilds] == [guild.pk]
    assert {name: (runs.commands, runs.errors) for name, runs in summary.runs.items()} == {
        "24h": (2, 1),
        "7d": (3, 2),
        "30d": (4, 2),
    }


def test_the_own_subscription_counts_the_tokens_of_this_period_only() -> None:
    bot = BotFactory()
    owner = bot.owner
    subscribed = subscribe(owner, monthly_ai_tokens=1_000)
    first = subscribed.period().first
    for day, tokens in ((first, 300), (first - DAY, 5_000)):
        TokenUsage.objects.create(user=owner, day=day, product="bots", tokens=tokens)
    own = subscription.get_own_subscription(caller_for(owner))
    assert own.plan == subscribed.plan
    assert (own.ai_tokens.quota, own.ai_tokens.used, own.ai_tokens.left) == (1_000, 300, 700)
    assert own.ai_tokens.renews_at == subscribed.period().end
    assert [mine.pk for mine in own.bots] == [bot.pk]


def test_the_return_is_what_the_rows_add_up_to() -> None:
    guild = GuildFactory()
    caller = caller_for(guild.bot.owner)
    inside, outside = START + DAY, START + 10 * DAY
    for hour in (inside, outside):
        ActivityBucketFactory(guild=guild, hour=hour, bot_messages=50, bot_answers=12, ai_tokens=900)
        TicketFactory(guild=guild, created_at=START, status="closed", closed_at=hour)
        ModerationCaseFactory(guild=guild, automatic=True, applied_at=hour)
    ModerationCaseFactory(guild=guild, automatic=False, applied_at=inside)
    roi.set_minutes(caller, bot_id=guild.bot_id, minutes=Minutes(per_answer=2, per_ticket=10, per_moderation=5))
    found = roi.get_snapshot(caller, bot_id=guild.bot_id, start=START, end=START + 7 * DAY)
    assert (found.bot_messages, found.answers, found.ai_tokens, found.tickets, found.moderations) == (50, 12, 900, 1, 1)
    assert found.hours_saved == round((12 * 2 + 10 + 5) / 60, 2)


def test_retained_are_those_of_the_cohort_who_are_still_there_and_were_active_lately() -> None:
    guild = GuildFactory()
    now = timezone.now()
    joined = now - 45 * DAY
    stayed = GuildMembershipFactory(guild=guild, joined_at=joined)
    active_on(stayed, [2])
    active_on(GuildMembershipFactory(guild=guild, joined_at=joined), [8, 20])  # silent for a week
    active_on(GuildMembershipFactory(guild=guild, joined_at=joined, left_at=now - DAY), [2])  # gone
    active_on(GuildMembershipFactory(guild=guild, joined_at=now - 29 * DAY), [1])  # joined too late
    active_on(GuildMembershipFactory(guild=guild, joined_at=now - 61 * DAY), [1])  # joined too early
    active_on(GuildMembershipFactory(guild=guild, joined_at=joined, is_bot=True), [1])
    found = roi.get_snapshot(caller_for(guild.bot.owner), bot_id=guild.bot_id, start=now - 30 * DAY, end=now)
    assert (found.cohort_size, found.members_retained) == (3, 1)


def test_who_left_after_the_range_counts_as_still_there_at_its_end() -> None:
    guild = GuildFactory()
    end = timezone.now() - 5 * DAY
    member = GuildMembershipFactory(guild=guild, joined_at=end - 45 * DAY, left_at=end + DAY)
    active_on(member, [7])
    found = roi.get_snapshot(caller_for(guild.bot.owner), bot_id=guild.bot_id, start=end - 30 * DAY, end=end)
    assert found.members_retained == 1


def test_somebody_elses_return_is_not_found() -> None:
    guild, stranger = GuildFactory(), caller_for(BotFactory().owner)
    asked = {"bot_id": guild.bot_id, "start": START, "end": START + DAY}
    with pytest.raises(NotFound):
        roi.get_snapshot(stranger, **asked)
    with pytest.raises(NotFound):
        roi.get_snapshot(caller_for(guild.bot.owner), guild_id=1, **asked)
    with pytest.raises(NotFound):
        roi.set_minutes(stranger, bot_id=guild.bot_id, minutes=Minutes(1, 1, 1))


@pytest.mark.parametrize("minutes", [-1, 1441, float("nan")])
def test_minutes_lie_between_none_and_a_day(minutes: float) -> None:
    bot = BotFactory()
    with pytest.raises(Invalid):
        roi.set_minutes(caller_for(bot.owner), bot_id=bot.pk, minutes=Minutes(minutes, 1, 1))


def test_a_day_is_kept_once_for_the_bot_and_each_guild_and_replaced_when_kept_again() -> None:
    guild = GuildFactory()
    day = START.date()
    ActivityBucketFactory(guild=guild, hour=START, bot_messages=5)
    assert roi.keep_snapshots(day) == 2
    ActivityBucketFactory(guild=guild, hour=START + HOUR, bot_messages=6)
    roi.keep_snapshots(day)
    assert sorted(RoiSnapshot.objects.values_list("guild_id", "bot_messages"), key=str) == [(guild.pk, 11), (None, 11)]


def test_what_is_older_than_it_is_kept_goes_and_the_rest_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    bot = BotFactory()
    now = timezone.now()
    for age in (89, 91, 92, 93, 94, 95):
        CommandInvocationFactory(bot=bot, at=now - age * DAY)
    ActivityBucketFactory(hour=now - 1_200 * DAY)
    assert retention.prune() == {"invocations": 5, "buckets": 1, "member days": 0, "rate limits": 0}
    assert CommandInvocation.objects.count() == 1
