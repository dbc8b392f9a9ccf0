"""Rows of bots for tests: each factory makes the least that is valid. Ids look like Discord's and never repeat."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.models import Plan, Subscription, User
from accounts.scopes import Scope
from bots.models import (
    ActivityBucket,
    Bot,
    CommandInvocation,
    Guild,
    GuildMembership,
    MemberDay,
    ModerationCase,
    Ticket,
    TicketMessage,
)
from tests.factories import UserFactory

FIRST_SNOWFLAKE = 1_200_000_000_000_000_000


def snowflake() -> Any:
    return factory.Sequence(lambda number: FIRST_SNOWFLAKE + number)


def caller_for(user: User, scope: Scope = Scope.ADMIN) -> Caller:
    return Caller(user_id=user.pk, scope=scope, door=Door.MCP)


def subscribe(user: User, **limits: int | None) -> Subscription:
    """The person on a plan of their own with these limits, and none of any other kind."""
    every = dict.fromkeys(Plan.LIMITS, None) | limits
    plan, _ = Plan.objects.update_or_create(
        code=f"P{user.pk}", defaults={"name": f"Plan {user.pk}", "rank": 1_000 + user.pk % 30_000, **every}
    )
    subscription, _ = Subscription.objects.update_or_create(
        user=user, defaults={"plan": plan, "started_on": timezone.now().date()}
    )
    return subscription


class BotFactory(factory.django.DjangoModelFactory[Bot]):
    class Meta:
        model = Bot

    owner = factory.SubFactory(UserFactory)
    name = factory.Sequence(lambda number: f"Bot {number}")
    application_id = snowflake()
    token = factory.Sequence(lambda number: f"a token nobody holds {number}")

    @classmethod
    def _create(cls, model_class: type[Bot], *args: Any, **kwargs: Any) -> Bot:
        bot: Bot = super()._create(model_class, *args, **kwargs)
        if not Subscription.objects.filter(user=bot.owner).exists():
            subscribe(bot.owner)
        return bot


class GuildFactory(factory.django.DjangoModelFactory[Guild]):
    class Meta:
        model = Guild

    bot = factory.SubFactory(BotFactory)
    discord_id = snowflake()
    name = factory.Sequence(lambda number: f"Guild {number}")
    joined_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=200))


class GuildMembershipFactory(factory.django.DjangoModelFactory[GuildMembership]):
    class Meta:
        model = GuildMembership

    guild = factory.SubFactory(GuildFactory)
    user_id = snowflake()
    username = factory.Sequence(lambda number: f"member{number}")
    joined_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=100))


class TicketFactory(factory.django.DjangoModelFactory[Ticket]):
    class Meta:
        model = Ticket

    guild = factory.SubFactory(GuildFactory)
    bot = factory.SelfAttribute("guild.bot")
    number = factory.Sequence(lambda number: number + 1)
    channel_id = snowflake()
    subject = "The door does not open"
    opener_id = snowflake()
    opener_name = "mira"
    created_at = factory.LazyFunction(timezone.now)


class TicketMessageFactory(factory.django.DjangoModelFactory[TicketMessage]):
    class Meta:
        model = TicketMessage

    ticket = factory.SubFactory(TicketFactory)
    message_id = snowflake()
    author_id = snowflake()
    author_name = "mira"
    content = "I cannot get in."
    sent_at = factory.LazyFunction(timezone.now)


class ModerationCaseFactory(factory.django.DjangoModelFactory[ModerationCase]):
    class Meta:
        model = ModerationCase

    guild = factory.SubFactory(GuildFactory)
    bot = factory.SelfAttribute("guild.bot")
    number = factory.Sequence(lambda number: number + 1)
    action = "warn"
    status = "applied"
    user_id = snowflake()
    reason = "Spam"
    created_at = factory.LazyFunction(timezone.now)
    applied_at = factory.SelfAttribute("created_at")


class ActivityBucketFactory(factory.django.DjangoModelFactory[ActivityBucket]):
    class Meta:
        model = ActivityBucket

    guild = factory.SubFactory(GuildFactory)
    bot = factory.SelfAttribute("guild.bot")
    channel_id = snowflake()
    hour = factory.LazyFunction(lambda: timezone.now().replace(minute=0, second=0, microsecond=0))


class CommandInvocationFactory(factory.django.DjangoModelFactory[CommandInvocation]):
    class Meta:
        model = CommandInvocation

    bot = factory.SubFactory(BotFactory)
    user_id = snowflake()
    command = "rank"
    succeeded = True
    latency_ms = 40
    at = factory.LazyFunction(timezone.now)


def active_on(membership: GuildMembership, days_ago: Iterable[int]) -> None:
    """The member wrote on each of these days before today."""
    today = timezone.now().date()
    MemberDay.objects.bulk_create(
        MemberDay(membership=membership, day=today - timedelta(days=ago), messages=1) for ago in days_ago
    )
