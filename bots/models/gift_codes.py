"""Gift codes, what they give, who redeemed them, and how far each reward has come."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from bots.models.bots import Bot
from bots.models.guilds import Guild
from bots.models.tenancy import OwnedQuerySet


class RewardKind(models.TextChoices):
    ROLE = "ROLE", "Role"
    TEMP_ROLE = "TEMP_ROLE", "Role for a time"
    XP = "XP", "Experience"
    CURRENCY = "CURRENCY", "Currency"


class GiftCodeQuerySet(OwnedQuerySet["GiftCode"]):
    def with_status(self, status: str, now: datetime) -> "GiftCodeQuerySet":
        """Codes that are active, revoked, expired or exhausted at `now`; the same rules as `GiftCode.status`."""
        expired = Q(expires_at__isnull=False, expires_at__lte=now)
        conditions = {
            "revoked": Q(revoked_at__isnull=False),
            "exhausted": Q(revoked_at=None, uses=F("max_uses")),
            "expired": Q(revoked_at=None, uses__lt=F("max_uses")) & expired,
            "active": Q(revoked_at=None, uses__lt=F("max_uses")) & ~expired,
        }
        return self.filter(conditions[status])


class GiftCode(models.Model):
    """A code that gives rewards. Only its first characters and a keyed digest are stored: the code is shown once."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        REVOKED = "revoked", "Revoked"
        EXPIRED = "expired", "Expired"
        EXHAUSTED = "exhausted", "Used up"

    bot = models.ForeignKey(Bot, on_delete=models.CASCADE, related_name="gift_codes")
    guild = models.ForeignKey(
        Guild, null=True, blank=True, on_delete=models.CASCADE, related_name="gift_codes", help_text="Empty: any guild."
    )
    prefix = models.CharField("first characters", max_length=8, editable=False)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    max_uses = models.PositiveIntegerField()
    uses = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = GiftCodeQuerySet.as_manager()
    # Filled in by the service that lists codes.
    newest_redemptions: list["Redemption"]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(max_uses__gte=1), name="gift_code_usable"),
            models.CheckConstraint(condition=Q(uses__lte=F("max_uses")), name="gift_code_never_used_too_often"),
        ]
        indexes = [
            models.Index(fields=["bot", "-created_at", "-id"], name="gift_code_by_bot"),
            # Counting what is active, for the plan's limit and the status filter.
            models.Index(
                fields=["bot", "expires_at"],
                condition=Q(revoked_at=None, uses__lt=F("max_uses")),
                name="gift_code_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @property
    def status(self) -> str:
        if self.revoked_at is not None:
            return self.Status.REVOKED
        if self.uses >= self.max_uses:
            return self.Status.EXHAUSTED
        if self.expires_at is not None and self.expires_at <= timezone.now():
            return self.Status.EXPIRED
        return self.Status.ACTIVE


class GiftRewardQuerySet(OwnedQuerySet["GiftReward"]):
    owner_path = "code__bot__owner_id"


class GiftReward(models.Model):
    """One thing a code gives: a role (for a time, or for good) or an amount of experience or currency."""

    code = models.ForeignKey(GiftCode, on_delete=models.CASCADE, related_name="rewards")
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=9, choices=RewardKind.choices)
    role_id = models.BigIntegerField("Discord role id", null=True, blank=True)
    duration_seconds = models.PositiveIntegerField(null=True, blank=True)
    amount = models.PositiveIntegerField(null=True, blank=True)

    objects = GiftRewardQuerySet.as_manager()

    class Meta:
        ordering = ["code", "position"]
        constraints = [
            models.UniqueConstraint(fields=["code", "position"], name="gift_reward_position"),
            models.CheckConstraint(
                condition=Q(kind="ROLE", role_id__isnull=False, duration_seconds=None, amount=None)
                | Q(kind="TEMP_ROLE", role_id__isnull=False, duration_seconds__gt=0, amount=None)
                | Q(kind__in=["XP", "CURRENCY"], role_id=None, duration_seconds=None, amount__gt=0),
                name="gift_reward_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount or self.role_id}"


class RedemptionQuerySet(OwnedQuerySet["Redemption"]):
    owner_path = "code__bot__owner_id"


class Redemption(models.Model):
    """One person's use of a code. The unique constraint is what holds a person to one."""

    code = models.ForeignKey(GiftCode, on_delete=models.CASCADE, related_name="redemptions")
    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="redemptions")
    user_id = models.BigIntegerField("Discord user id")
    user_name = models.CharField(max_length=32, blank=True)
    redeemed_at = models.DateTimeField()

    objects = RedemptionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["code", "user_id"], name="redemption_once_per_user")]
        indexes = [models.Index(fields=["code", "-redeemed_at"], name="redemption_by_code")]

    def __str__(self) -> str:
        return f"{self.user_name or self.user_id} redeemed {self.code}"


class RewardGrantQuerySet(OwnedQuerySet["RewardGrant"]):
    owner_path = "redemption__code__bot__owner_id"


class RewardGrant(models.Model):
    """One reward on its way to one person. Roles are given, and taken back, by a task that claims the row."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        GIVEN = "given", "Given"
        FAILED = "failed", "Failed"
        ENDED = "ended", "Taken back"

    redemption = models.ForeignKey(Redemption, on_delete=models.CASCADE, related_name="grants")
    reward = models.ForeignKey(GiftReward, on_delete=models.CASCADE, related_name="grants")
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.PENDING)
    given_at = models.DateTimeField(null=True, blank=True)
    remove_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RewardGrantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["redemption", "reward"], name="reward_granted_once")]
        indexes = [
            models.Index(fields=["lease_until"], condition=Q(status="pending"), name="grant_pending"),
            models.Index(
                fields=["remove_at"], condition=Q(status="given", remove_at__isnull=False), name="grant_to_remove"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reward} ({self.status})"
