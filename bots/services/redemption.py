"""Redeeming a gift code: once for each person, never more often than it may be used, however many try at once."""

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.errors import Conflict, NotFound
from bots.models import CurrencyLedger, GiftCode, GiftReward, Guild, Redemption, RewardGrant, RewardKind
from bots.services.gift_codes import digests
from security import audit


@dataclass(frozen=True, slots=True)
class Redeemer:
    """A member of a guild, as Discord's interaction names them."""

    user_id: int
    name: str


def redeem(guild: Guild, redeemer: Redeemer, code: str) -> Redemption:
    """Give what the code gives. Experience and currency are there at once; roles are pending until Discord has them.

    Raises `NotFound` for a code that is none of this bot's, `Conflict` for one that cannot be redeemed (any more).
    """
    with transaction.atomic():
        gift = GiftCode.objects.filter(
            Q(guild=None) | Q(guild=guild), bot_id=guild.bot_id, digest__in=digests(code)
        ).first()
        if gift is None:
            raise NotFound("There is no such code. Check it for typing mistakes.", code="code_not_found")
        now = timezone.now()
        # The condition is in the UPDATE: PostgreSQL tests it again on the row as the transaction before left it.
        usable = GiftCode.objects.filter(pk=gift.pk).with_status(GiftCode.Status.ACTIVE, now)
        if not usable.update(uses=F("uses") + 1):
            gift.refresh_from_db()
            raise Conflict(
                f"This code cannot be redeemed: it is {GiftCode.Status(gift.status).label.lower()}.",
                code=f"code_{gift.status}",
            )
        redemption = _once(gift, guild, redeemer)
        for reward in gift.rewards.order_by("position"):
            _grant(redemption, reward)
        audit.record(
            "gift_code.redeem",
            caller=None,
            target=f"gift_code:{gift.pk}",
            detail={"guild": str(guild.discord_id), "user": str(redeemer.user_id)},
        )
    return redemption


def _once(gift: GiftCode, guild: Guild, redeemer: Redeemer) -> Redemption:
    """The person's redemption. The code's row is locked by its update, so nobody can come between."""
    if Redemption.objects.filter(code=gift, user_id=redeemer.user_id).exists():
        raise Conflict("You have redeemed this code already.", code="already_redeemed")
    return Redemption.objects.create(
        code=gift, guild=guild, user_id=redeemer.user_id, user_name=redeemer.name[:32], redeemed_at=timezone.now()
    )


def _grant(redemption: Redemption, reward: GiftReward) -> RewardGrant:
    at_once = reward.kind in {RewardKind.XP, RewardKind.CURRENCY}
    grant = RewardGrant.objects.create(
        redemption=redemption,
        reward=reward,
        status=RewardGrant.Status.GIVEN if at_once else RewardGrant.Status.PENDING,
        given_at=redemption.redeemed_at if at_once else None,
    )
    if reward.kind == RewardKind.XP:
        _add_experience(redemption, reward.amount or 0)
    elif reward.kind == RewardKind.CURRENCY:
        CurrencyLedger.objects.create(
            guild=redemption.guild,
            user_id=redemption.user_id,
            amount=reward.amount or 0,
            reason=f"Gift code {redemption.code.prefix}…",
            grant=grant,
        )
    return grant


def _add_experience(redemption: Redemption, amount: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO bots_memberxp AS held (guild_id, user_id, xp, updated_at) VALUES (%s, %s, %s, now())
            ON CONFLICT (guild_id, user_id) DO UPDATE SET xp = held.xp + excluded.xp, updated_at = now()
            """,
            [redemption.guild_id, redemption.user_id, amount],
        )
