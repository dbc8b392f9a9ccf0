"""The demo: believable, complete, the same in rows and in the sandbox, and there only once."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.errors import Forbidden
from accounts.scopes import Scope
from bots import demo
from bots.demo import activity
from bots.discord.sandbox import server
from bots.discord.sandbox.world import World
from bots.models import (
    ActivityBucket,
    Bot,
    GiftCode,
    Guild,
    GuildMembership,
    ModerationCase,
    RewardGrant,
    RoiSnapshot,
    Ticket,
    Transcript,
)
from bots.services import moderation, roi, stats, tickets
from tests.bots.factories import subscribe
from tests.factories import UserFactory


@pytest.fixture
def demo_bot(transactional_db: None, settings: Settings, tmp_path: Path) -> Bot:
    settings.VAR = tmp_path
    owner = UserFactory(name="Dana Reyes")
    subscribe(owner)
    return demo.fill(owner)


@pytest.fixture
def served(demo_bot: Bot, settings: Settings, tmp_path: Path) -> Iterator[World]:
    world = World.load(tmp_path / "discord-sandbox.json")
    with server.running(world) as url:
        settings.DISCORD_SANDBOX_URL = url
        yield world


def owner_of(bot: Bot) -> Caller:
    return Caller(user_id=bot.owner_id, scope=Scope.ADMIN, door=Door.PAGE)


def test_the_demo_is_complete_and_believable(demo_bot: Bot) -> None:
    """One filling for all of it: making sixty days takes seconds."""
    the_demo_shows_every_state_there_is(demo_bot)
    every_ticket_has_a_transcript_that_reads_like_one(demo_bot)
    nothing_lies_in_the_future()
    the_week_has_a_rhythm()
    the_numbers_add_up(demo_bot)


def the_demo_shows_every_state_there_is(demo_bot: Bot) -> None:
    assert demo_bot.sandbox
    assert Ticket.objects.count() >= 60
    assert set(Ticket.objects.values_list("status", flat=True)) == set(Ticket.Status.values)
    assert set(ModerationCase.objects.values_list("status", flat=True)) == set(ModerationCase.Status.values) - {
        "pending"
    }
    assert {code.status for code in GiftCode.objects.all()} == set(GiftCode.Status.values)
    assert Transcript.objects.exists()
    assert not RewardGrant.objects.filter(status="pending").exists(), "nothing to be done the moment it starts"


def every_ticket_has_a_transcript_that_reads_like_one(demo_bot: Bot) -> None:
    for ticket in Ticket.objects.all():
        page = tickets.get_transcript(owner_of(demo_bot), ticket_id=ticket.pk)
        assert page.messages == ticket.message_count >= 1
        assert ticket.opener_name in page.html
        assert "[U+" not in page.html


def nothing_lies_in_the_future() -> None:
    now = timezone.now()
    assert not ActivityBucket.objects.filter(hour__gt=now).exists()
    for field in ("created_at", "closed_at", "last_message_at"):
        assert not Ticket.objects.filter(**{f"{field}__gt": now}).exists(), field
    for field in ("created_at", "applied_at", "ended_at"):
        assert not ModerationCase.objects.filter(**{f"{field}__gt": now}).exists(), field
    assert not GuildMembership.objects.filter(left_at__gt=now).exists()


def the_week_has_a_rhythm() -> None:
    by_day: Counter[int] = Counter()
    by_hour: Counter[int] = Counter()
    for hour, messages in ActivityBucket.objects.values_list("hour", "messages"):
        by_day[hour.astimezone(ZoneInfo("UTC")).weekday()] += messages
        by_hour[hour.hour] += messages
    assert by_day[5] > by_day[1]
    assert by_hour[20] > 5 * by_hour[4]


def the_numbers_add_up(demo_bot: Bot) -> None:
    caller = owner_of(demo_bot)
    summary = stats.get_bot_summary(caller, bot_id=demo_bot.pk)
    assert len(summary.guilds) == 2
    assert 0 < summary.runs["30d"].errors < summary.runs["30d"].commands / 10
    kept = roi.kept_snapshots(caller, bot_id=demo_bot.pk, since=timezone.now().date() - timedelta(days=31))
    assert len(kept) == 30
    assert all(0 < day.members_retained <= day.cohort_size and day.hours_saved > 0 for day in kept)
    for guild in Guild.objects.all():
        assert guild.last_ticket_number == guild.tickets.count()
        assert guild.last_case_number == guild.cases.count()


def test_the_stories_are_the_same_at_any_hour(
    db: None, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of what is random the activity takes."""
    settings.VAR = tmp_path
    monkeypatch.setattr(activity, "make", lambda scene, chance: chance.randbytes(scene.now.hour))
    monkeypatch.setattr(activity, "keep_returns", lambda *_: None)
    stories = []
    for hour in (4, 21):
        now = datetime(2026, 3, 2, hour, tzinfo=UTC)
        monkeypatch.setattr(demo, "timezone", SimpleNamespace(now=lambda now=now: now))
        owner = UserFactory()
        subscribe(owner)
        told = Ticket.objects.filter(bot=demo.fill(owner)).order_by("guild_id", "number")
        stories.append(list(told.values_list("subject", "status", "opener_name")))
    assert stories[0] == stories[1]


def test_filling_twice_changes_nothing_and_a_lost_sandbox_is_made_again(demo_bot: Bot, tmp_path: Path) -> None:
    state = tmp_path / "discord-sandbox.json"
    before = state.read_bytes()
    counts = [model.objects.count() for model in (Bot, Ticket, ActivityBucket, RoiSnapshot)]
    assert demo.fill(demo_bot.owner) == demo_bot
    assert state.read_bytes() == before
    state.unlink()
    demo.fill(demo_bot.owner)
    assert World.load(state).bots[0].token == Bot.objects.get().token
    assert [model.objects.count() for model in (Bot, Ticket, ActivityBucket, RoiSnapshot)] == counts


def test_the_sandbox_is_the_same_world(served: World, demo_bot: Bot) -> None:
    members_can_be_kicked_and_the_staff_cannot(served, demo_bot)
    bans_that_hold_hold_in_the_sandbox_too(served, demo_bot)


def members_can_be_kicked_and_the_staff_cannot(served: World, demo_bot: Bot) -> None:
    guild = Guild.objects.order_by("id")[0]
    members = served.guilds[guild.discord_id].members
    ordinary = GuildMembership.objects.filter(guild=guild, left_at=None).order_by("-joined_at")[0]
    target: dict[str, Any] = {"bot_id": demo_bot.pk, "guild_id": guild.discord_id, "reason": "Trying it out"}
    case = moderation.kick_user(owner_of(demo_bot), user_id=ordinary.user_id, **target)
    assert case.status == "applied"
    assert ordinary.user_id not in members
    staff = GuildMembership.objects.filter(guild=guild).order_by("joined_at", "user_id")[1]
    with pytest.raises(Forbidden, match="is not below the bot's"):
        moderation.kick_user(owner_of(demo_bot), user_id=staff.user_id, **target)


def bans_that_hold_hold_in_the_sandbox_too(served: World, demo_bot: Bot) -> None:
    for case in ModerationCase.objects.open_bans().select_related("guild"):
        assert case.user_id in served.guilds[case.guild.discord_id].bans
        same = moderation.unban_user(
            owner_of(demo_bot),
            bot_id=demo_bot.pk,
            guild_id=case.guild.discord_id,
            user_id=case.user_id,
            reason="Enough",
        )
        assert same.status == "applied"
