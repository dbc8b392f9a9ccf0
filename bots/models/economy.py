"""Experience and currency of the members of a guild."""

from django.db import models
from django.db.models import Q

from bots.models.gift_codes import RewardGrant
from bots.models.guilds import Guild
from bots.models.tenancy import OwnedQuerySet


class MemberXPQuerySet(OwnedQuerySet["MemberXP"]):
    owner_path = "guild__bot__owner_id"


class MemberXP(models.Model):
    """How much experience somebody has gathered in a guild."""

    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="experience")
    user_id = models.BigIntegerField("Discord user id")
    xp = models.PositiveBigIntegerField(default=0)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MemberXPQuerySet.as_manager()

    class Meta:
        verbose_name = "member's experience"
        verbose_name_plural = "members' experience"
        constraints = [models.UniqueConstraint(fields=["guild", "user_id"], name="xp_once_per_member")]
        indexes = [models.Index(fields=["guild", "-xp"], name="xp_ranking")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.xp} XP"


class CurrencyLedgerQuerySet(OwnedQuerySet["CurrencyLedger"]):
    owner_path = "guild__bot__owner_id"


class CurrencyLedger(models.Model):
    """Append-only: a balance is the sum of somebody's entries in a guild."""

    guild = models.ForeignKey(Guild, on_delete=models.CASCADE, related_name="ledger")
    user_id = models.BigIntegerField("Discord user id")
    amount = models.BigIntegerField()
    reason = models.CharField(max_length=200)
    grant = models.OneToOneField(
        RewardGrant, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_entry"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CurrencyLedgerQuerySet.as_manager()

    class Meta:
        verbose_name = "currency entry"
        verbose_name_plural = "currency ledger"
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="ledger_entry_counts")]
        indexes = [models.Index(fields=["guild", "user_id", "-id"], name="ledger_by_member")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.amount:+d}"
