"""What happened in the guilds: by hour and channel, by command, and on which days each member was there."""

from django.db import models
from django.db.models import Q

from bots.models.bots import Bot
from bots.models.guilds import Guild, GuildMembership
from bots.models.tenancy import OwnedQuerySet


class ActivityBucketQuerySet(OwnedQuerySet["ActivityBucket"]):
    pass


class ActivityBucket(models.Model):
    """One hour of one channel. `channel_id` is 0 for what belongs to no channel."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="activity")
    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="activity")
    channel_id = models.BigIntegerField("Discord channel id", default=0)
    hour = models.DateTimeField(help_text="UTC, the hour's beginning.")
    messages = models.PositiveIntegerField(default=0, help_text="Written by members.")
    bot_messages = models.PositiveIntegerField(default=0, help_text="Written by the bot.")
    bot_answers = models.PositiveIntegerField(default=0, help_text="The bot's messages that answered a question.")
    commands = models.PositiveIntegerField(default=0)
    voice_seconds = models.PositiveIntegerField(default=0)
    ai_tokens = models.PositiveBigIntegerField(default=0)

    objects = ActivityBucketQuerySet.as_manager()

    class Meta:
        constraints = [
            # Leads with what every reading filters by, so that a range of a bot or guild is one stretch of the index.
            models.UniqueConstraint(fields=["bot", "hour", "guild", "channel_id"], name="activity_bucket_once"),
        ]
        indexes = [models.Index(fields=["guild", "hour"], name="activity_by_guild")]

    def __str__(self) -> str:
        return f"{self.hour:%Y-%m-%d %H:00} in {self.channel_id}"


class CommandInvocationQuerySet(OwnedQuerySet["CommandInvocation"]):
    pass


class CommandInvocation(models.Model):
    """One run of a command, kept for as long as the statistics look back."""

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="invocations")
    guild = models.ForeignKey(Guild, null=True, blank=True, on_delete=models.CASCADE, related_name="invocations")
    user_id = models.BigIntegerField("Discord user id")
    command = models.CharField(max_length=100)
    succeeded = models.BooleanField()
    error_code = models.CharField(max_length=60, blank=True)
    latency_ms = models.PositiveIntegerField()
    at = models.DateTimeField()

    objects = CommandInvocationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["bot", "-at"], include=["succeeded"], name="invocation_by_bot")]

    def __str__(self) -> str:
        return f"/{self.command}"


class MemberDayQuerySet(OwnedQuerySet["MemberDay"]):
    owner_path = "membership__guild__bot__owner_id"


class MemberDay(models.Model):
    """A UTC day on which a member wrote or spoke; retention is counted from these."""

    membership = models.ForeignKey(GuildMembership, on_delete=models.CASCADE, related_name="days")
    day = models.DateField()
    messages = models.PositiveIntegerField(default=0)
    voice_seconds = models.PositiveIntegerField(default=0)

    objects = MemberDayQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "day"], name="member_day_once"),
            models.CheckConstraint(condition=Q(messages__gt=0) | Q(voice_seconds__gt=0), name="member_day_active"),
        ]

    def __str__(self) -> str:
        return f"{self.membership} on {self.day}"
