"""Moderation cases: what was asked, what Discord made of it, and when it ends."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from bots.models.bots import Bot
from bots.models.guilds import Guild
from bots.models.lifecycle import Lifecycle
from bots.models.tenancy import OwnedQuerySet


class ModerationCaseQuerySet(OwnedQuerySet["ModerationCase"]):
    def open_bans(self) -> "ModerationCaseQuerySet":
        """Bans and tempbans that hold or are under way."""
        return self.filter(action__in=["ban", "tempban"], status__in=["pending", "applied"])


class ModerationCase(models.Model):
    """One act of moderation, written as pending before Discord is asked.

    `open_key` names the sanction while it is open and is empty afterwards; that it is unique is what makes a second
    call find the first one's case. Whoever works on a member's cases holds that member's lock (`bots.models.locks`).
    """

    class Action(models.TextChoices):
        WARN = "warn", "Warning"
        KICK = "kick", "Kick"
        BAN = "ban", "Ban"
        TEMPBAN = "tempban", "Temporary ban"
        UNBAN = "unban", "Unban"
        MUTE = "mute", "Mute"
        UNMUTE = "unmute", "Unmute"

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        APPLIED = "applied", "Applied"
        FAILED = "failed", "Failed"
        EXPIRED = "expired", "Expired"
        REVOKED = "revoked", "Revoked"
        SUPERSEDED = "superseded", "Superseded"

    class DirectMessage(models.TextChoices):
        NONE = "none", "Not tried"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not delivered"
        UNKNOWN = "unknown", "Unknown"

    LIFECYCLE = Lifecycle(
        "case",
        {
            ("pending", "apply"): "applied",
            ("pending", "fail"): "failed",
            ("applied", "expire"): "expired",
            ("applied", "revoke"): "revoked",
            ("applied", "supersede"): "superseded",
        },
    )

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="cases")
    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="cases")
    number = models.PositiveIntegerField()
    action = models.CharField(max_length=8, choices=Action.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    user_id = models.BigIntegerField("Discord user id of the member")
    user_name = models.CharField(max_length=32, blank=True)
    reason = models.CharField(max_length=500)
    moderator = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    moderator_name = models.CharField(max_length=150, blank=True)
    automatic = models.BooleanField(default=False, help_text="Done by the bot's own rules, by nobody's hand.")
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    delete_message_seconds = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    direct_message = models.CharField(max_length=8, choices=DirectMessage.choices, default=DirectMessage.NONE)
    failure = models.CharField(max_length=300, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    idempotency_key = models.CharField(max_length=100, blank=True, editable=False)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    open_key = models.CharField(max_length=120, null=True, blank=True, unique=True, editable=False)
    next_attempt_at = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = ModerationCaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guild", "number"], name="case_number_once_per_guild"),
            models.UniqueConstraint(
                fields=["bot", "idempotency_key"], condition=~Q(idempotency_key=""), name="case_idempotency_key"
            ),
            models.CheckConstraint(
                condition=Q(action__in=["warn", "kick", "ban", "tempban", "unban", "mute", "unmute"]),
                name="case_action_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["pending", "applied", "failed", "expired", "revoked", "superseded"]),
                name="case_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(action="tempban") | Q(duration_seconds__gt=0), name="case_tempban_has_its_length"
            ),
            models.CheckConstraint(
                condition=~Q(status="applied") | Q(applied_at__isnull=False), name="case_applied_has_its_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["failed", "expired", "revoked", "superseded"]) | Q(open_key=None),
                name="case_ended_is_not_open",
            ),
        ]
        indexes = [
            models.Index(fields=["bot", "-created_at", "-id"], name="case_by_bot"),
            models.Index(fields=["bot", "action", "-created_at", "-id"], name="case_by_bot_action"),
            models.Index(fields=["bot", "user_id", "-created_at", "-id"], name="case_by_bot_user"),
            models.Index(fields=["guild", "-created_at", "-id"], name="case_by_guild"),
            models.Index(fields=["guild", "user_id", "-created_at", "-id"], name="case_by_guild_user"),
            # What the two sweeps look for; both are small however many cases there are.
            models.Index(
                fields=["expires_at"], condition=Q(status="applied", expires_at__isnull=False), name="case_due"
            ),
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="case_pending"),
        ]

    def __str__(self) -> str:
        return f"Case {self.number}: {self.get_action_display()} of {self.user_name or self.user_id}"
