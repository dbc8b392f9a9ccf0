"""Support tickets, what was said in them, and the page rendered from that."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from bots.models.bots import Bot
from bots.models.guilds import Guild
from bots.models.lifecycle import Lifecycle
from bots.models.tenancy import OwnedQuerySet


class TicketQuerySet(OwnedQuerySet["Ticket"]):
    pass


class Ticket(models.Model):
    """A conversation between somebody in a guild and its staff, in a channel of its own.

    `transcript_revision` rises with every change to the messages; a stored transcript of another revision is stale.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLAIMED = "claimed", "Claimed"
        PENDING = "pending", "Waiting for the member"
        CLOSED = "closed", "Closed"

    LIFECYCLE = Lifecycle(
        "ticket",
        {
            ("open", "claim"): "claimed",
            ("open", "wait"): "pending",
            ("open", "close"): "closed",
            ("claimed", "release"): "open",
            ("claimed", "wait"): "pending",
            ("claimed", "close"): "closed",
            ("pending", "answer"): "claimed",
            ("pending", "close"): "closed",
            ("closed", "reopen"): "open",
        },
    )

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="tickets")
    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="tickets")
    number = models.PositiveIntegerField()
    channel_id = models.BigIntegerField("Discord channel id")
    subject = models.CharField(max_length=200)
    category = models.CharField(max_length=50, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    opener_id = models.BigIntegerField("Discord user id of the opener")
    opener_name = models.CharField(max_length=32)
    claimed_by_id = models.BigIntegerField("Discord user id of the claimer", null=True, blank=True)
    claimed_by_name = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=500, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    message_count = models.PositiveIntegerField(default=0)
    first_message_at = models.DateTimeField(null=True, blank=True)
    last_message_at = models.DateTimeField(null=True, blank=True)
    transcript_revision = models.PositiveIntegerField(default=0)

    objects = TicketQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guild", "number"], name="ticket_number_once_per_guild"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "claimed", "pending", "closed"]), name="ticket_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="closed", closed_at__isnull=False) | (~Q(status="closed") & Q(closed_at=None)),
                name="ticket_closed_has_its_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="claimed") | Q(claimed_by_id__isnull=False), name="ticket_claimed_has_its_claimer"
            ),
        ]
        # Keyset pages, newest first, by bot or by guild, with and without a status.
        indexes = [
            models.Index(fields=["bot", "-created_at", "-id"], name="ticket_by_bot"),
            models.Index(fields=["bot", "status", "-created_at", "-id"], name="ticket_by_bot_status"),
            models.Index(fields=["guild", "-created_at", "-id"], name="ticket_by_guild"),
            models.Index(fields=["guild", "status", "-created_at", "-id"], name="ticket_by_guild_status"),
            models.Index(fields=["bot", "closed_at"], condition=Q(closed_at__isnull=False), name="ticket_closed_at"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"


class TicketMessageQuerySet(OwnedQuerySet["TicketMessage"]):
    owner_path = "ticket__bot__owner_id"


class TicketMessage(models.Model):
    """A message as it stands now. `attachments` holds `{"name", "url", "size"}` for each file."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    message_id = models.BigIntegerField("Discord message id")
    author_id = models.BigIntegerField("Discord user id of the author")
    author_name = models.CharField(max_length=32)
    is_staff = models.BooleanField(default=False)
    is_bot = models.BooleanField(default=False)
    content = models.TextField(blank=True)
    attachments = models.JSONField(default=list, blank=True)
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)

    objects = TicketMessageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "message_id"], name="ticket_message_once")]

    def __str__(self) -> str:
        return f"{self.author_name}: {self.content[:60]}"


class TranscriptQuerySet(OwnedQuerySet["Transcript"]):
    owner_path = "ticket__bot__owner_id"


class Transcript(models.Model):
    """A ticket as one HTML page, with what it was made from."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="transcript")
    revision = models.PositiveIntegerField(help_text="The ticket's transcript revision it was made from.")
    html = models.TextField()
    bytes = models.PositiveIntegerField()
    sha256 = models.CharField("SHA-256", max_length=64)
    messages = models.PositiveIntegerField()
    generated_at = models.DateTimeField()

    objects = TranscriptQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Transcript of {self.ticket}"


# One ticket of one owner with its guild and the facts of its transcript: four lookups by unique key.
CARD = """
SELECT ticket.id, ticket.number, ticket.bot_id, guild.discord_id AS guild_id, guild.name AS guild_name,
       ticket.channel_id, ticket.subject, ticket.category, ticket.status, ticket.opener_id, ticket.opener_name,
       ticket.claimed_by_id, ticket.claimed_by_name, ticket.created_at, ticket.closed_at, ticket.close_reason,
       ticket.message_count AS messages, ticket.first_message_at, ticket.last_message_at,
       transcript.generated_at, transcript.bytes, transcript.sha256
FROM bots_ticket ticket
JOIN bots_bot bot ON bot.id = ticket.bot_id AND bot.owner_id = %(owner)s
JOIN bots_guild guild ON guild.id = ticket.guild_id
LEFT JOIN bots_transcript transcript ON transcript.ticket_id = ticket.id
WHERE ticket.id = %(ticket)s
"""
