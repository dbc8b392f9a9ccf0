"""The guilds a bot is in, and the people in them."""

from django.db import models
from django.db.models import Q

from bots.models.bots import Bot
from bots.models.tenancy import OwnedQuerySet


class GuildQuerySet(OwnedQuerySet["Guild"]):
    def joined(self) -> "GuildQuerySet":
        """Guilds that the bot has not left."""
        return self.filter(left_at=None)


class Guild(models.Model):
    """A Discord server as one bot sees it: two bots in the same server have a row each.

    The `last_…_number` fields count tickets and cases; they are raised in the transaction that uses the number,
    so that its row lock gives each number out once and leaves no gap.
    """

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="guilds")
    discord_id = models.BigIntegerField("Discord id")
    name = models.CharField(max_length=100)
    member_count = models.PositiveIntegerField(default=0)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    last_ticket_number = models.PositiveIntegerField(default=0)
    last_case_number = models.PositiveIntegerField(default=0)

    objects = GuildQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["bot", "discord_id"], name="guild_once_per_bot"),
            models.CheckConstraint(condition=Q(discord_id__gt=0), name="guild_discord_id_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class GuildMembershipQuerySet(OwnedQuerySet["GuildMembership"]):
    owner_path = "guild__bot__owner_id"


class GuildMembership(models.Model):
    """A person in a guild. Whoever leaves and comes back keeps the row, with a new `joined_at`."""

    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="memberships")
    user_id = models.BigIntegerField("Discord user id")
    username = models.CharField(max_length=32)
    display_name = models.CharField(max_length=32, blank=True)
    is_bot = models.BooleanField(default=False)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    objects = GuildMembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guild", "user_id"], name="membership_once_per_guild"),
            models.CheckConstraint(
                condition=Q(left_at=None) | Q(left_at__gte=models.F("joined_at")),
                name="membership_leaves_after_joining",
            ),
        ]
        indexes = [
            # The retention cohort: who joined between two dates.
            models.Index(fields=["guild", "joined_at"], condition=Q(is_bot=False), name="membership_cohort"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username
