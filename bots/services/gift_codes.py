"""Gift codes: list, generate, revoke. Redeeming one is `redemption`."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound, PlanLimit
from accounts.scopes import Scope
from accounts.services import plans
from bots.models import GiftCode, GiftReward, Guild, Redemption, RewardKind
from bots.services.bots import find_bot, find_guild
from bots.services.cursors import Page, page_of
from security import audit

# Crockford's base 32: no I, L, O or U, so that a code survives being read aloud and typed.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
GROUPS, GROUP_LENGTH = 6, 4  # 24 characters of 5 bits: 120, and 100 beyond the group that lists show.
MOST_AT_ONCE = 50
MOST_REWARDS = 5
MOST_USES = 1_000_000
# Lists name this many of a code's redemptions, the newest.
REDEMPTIONS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Reward:
    """What a code gives: a role by its Discord id, for `duration_seconds` if it is temporary, or an amount."""

    kind: RewardKind
    role_id: int | None = None
    duration_seconds: int | None = None
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class NewCode:
    """A fresh row with its code in clear, which exists nowhere else."""

    row: GiftCode
    code: str


def list_codes(
    caller: Caller,
    *,
    bot_id: int,
    status: str | None = None,
    limit: int = 25,
    cursor: str | None = None,
    oldest_first: bool = False,
) -> Page[GiftCode]:
    """A bot's codes, newest first unless said otherwise, each with its rewards and `newest_redemptions`."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    codes = GiftCode.objects.for_caller(caller).filter(bot=bot).select_related("guild")
    if status is not None:
        codes = codes.with_status(status, timezone.now())
    # Sliced inside the prefetch, so that a code redeemed ten thousand times costs as little as any.
    newest = Redemption.objects.order_by("-redeemed_at", "-id").select_related("guild")[:REDEMPTIONS_SHOWN]
    return page_of(
        codes.prefetch_related("rewards", Prefetch("redemptions", newest, to_attr="newest_redemptions")),  # type: ignore[no-redef]
        limit=limit,
        cursor=cursor,
        oldest_first=oldest_first,
    )


def get_code(caller: Caller, *, bot_id: int, code_id: int) -> GiftCode:
    """One of a bot's codes, with its rewards."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    codes = GiftCode.objects.for_caller(caller).filter(bot=bot, pk=code_id)
    code = codes.select_related("bot", "guild").prefetch_related("rewards").first()
    if code is None:
        raise NotFound(f"{bot.name} has no gift code with the id {code_id}.", code="code_not_found")
    return code


def list_redemptions(caller: Caller, code: GiftCode, *, limit: int = 25, cursor: str | None = None) -> Page[Redemption]:
    """Who redeemed a code, newest first, each with what they were given and how far that has come."""
    caller.require(Scope.READ)
    redemptions = Redemption.objects.for_caller(caller).filter(code=code).select_related("guild")
    return page_of(redemptions.prefetch_related("grants__reward"), limit=limit, cursor=cursor, by="redeemed_at")


def generate_codes(
    caller: Caller,
    *,
    bot_id: int,
    rewards: Sequence[Reward],
    max_uses: int,
    guild_id: int | None = None,
    expires_at: datetime | None = None,
    quantity: int = 1,
) -> list[NewCode]:
    """New codes in clear, this once. Raises `PlanLimit` beyond what the owner's plan includes."""
    caller.require(Scope.WRITE)
    bot = find_bot(caller, bot_id)
    guild = find_guild(bot, guild_id) if guild_id is not None else None
    now = timezone.now()
    _check(rewards, guild, max_uses=max_uses, quantity=quantity, expires_at=expires_at, now=now)
    with transaction.atomic():
        _hold_to_plan(caller, max_uses=max_uses, quantity=quantity, now=now)
        made = [new_code() for _ in range(quantity)]
        rows = GiftCode.objects.bulk_create(
            GiftCode(
                bot=bot,
                guild=guild,
                prefix=code[:GROUP_LENGTH],
                digest=digests(code)[0],
                max_uses=max_uses,
                created_by_id=caller.user_id,
                created_at=now,
                expires_at=expires_at,
            )
            for code in made
        )
        GiftReward.objects.bulk_create(
            GiftReward(
                code=row,
                position=position,
                kind=reward.kind,
                role_id=reward.role_id,
                duration_seconds=reward.duration_seconds,
                amount=reward.amount,
            )
            for row in rows
            for position, reward in enumerate(rewards, 1)
        )
        audit.record(
            "gift_code.generate",
            caller=caller,
            target=f"bot:{bot.pk}",
            detail={"codes": [row.pk for row in rows], "maxUses": max_uses},
        )
    return [NewCode(row, code) for row, code in zip(rows, made, strict=True)]


def revoke_code(caller: Caller, *, code_id: int) -> GiftCode:
    """The code, revoked: nobody redeems it from now on. Revoking twice is a `Conflict` and changes nothing."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        code = GiftCode.objects.for_caller(caller).select_for_update(of=("self",)).filter(pk=code_id).first()
        if code is None:
            raise NotFound(
                f"You have no gift code with the id {code_id}. giftCode.list shows them.", code="code_not_found"
            )
        if code.revoked_at is not None:
            raise Conflict(
                f"The code {code.prefix}… was revoked already, at {code.revoked_at:%Y-%m-%d %H:%M} UTC. "
                "Nothing was changed.",
                code="already_revoked",
            )
        code.revoked_at = timezone.now()
        code.save(update_fields=["revoked_at"])
        audit.record("gift_code.revoke", caller=caller, target=f"gift_code:{code.pk}")
    return code


def new_code() -> str:
    """A code of 120 random bits, in groups that can be read aloud."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_LENGTH)) for _ in range(GROUPS))


def digests(code: str) -> list[bytes]:
    """The keyed digests under which a code may be stored: the newest encryption key's first.

    Stolen rows give no codes away, not even by guessing: the key is not in the database.
    """
    plain = normalized(code).encode()
    return [
        hmac.digest(hmac.digest(key.encode(), b"asterism gift codes", hashlib.sha256), plain, hashlib.sha256)
        for key in settings.ENCRYPTION_KEYS
    ]


def normalized(code: str) -> str:
    """The code as its digest is made: what people add or mistake in typing is taken back."""
    kept = "".join(character for character in code.upper() if character.isascii() and character.isalnum())
    return kept.translate(str.maketrans("OIL", "011"))


def _check(
    rewards: Sequence[Reward],
    guild: Guild | None,
    *,
    max_uses: int,
    quantity: int,
    expires_at: datetime | None,
    now: datetime,
) -> None:
    if not 1 <= len(rewards) <= MOST_REWARDS:
        raise Invalid(f"A code gives 1 to {MOST_REWARDS} rewards.")
    if not 1 <= quantity <= MOST_AT_ONCE:
        raise Invalid(f"The quantity is {quantity}; it is 1 to {MOST_AT_ONCE}.")
    if not 1 <= max_uses <= MOST_USES:
        raise Invalid(f"The number of uses is {max_uses}; it is 1 to {MOST_USES:,}.")
    if expires_at is not None and expires_at <= now:
        raise Invalid("The codes would be expired from the start. Choose a time to come.")
    if guild is None and any(reward.kind in {RewardKind.ROLE, RewardKind.TEMP_ROLE} for reward in rewards):
        raise Invalid("A role belongs to one guild. Name the guild, or give something else.")


def _hold_to_plan(caller: Caller, *, max_uses: int, quantity: int, now: datetime) -> None:
    """Raise `PlanLimit` if so many more codes, or such large ones, exceed the plan. Holds until the commit."""
    plan = plans.plan_of(caller.user_id, lock=True)
    if plan.max_redemptions_per_code is not None and max_uses > plan.max_redemptions_per_code:
        raise PlanLimit(
            f"The plan {plan.name} includes {plan.max_redemptions_per_code:,} redemptions per code; you asked for "
            f"{max_uses:,}. Ask for fewer, or change the plan.",
            data={"plan": plan.code, "limit": "max_redemptions_per_code", "allowed": plan.max_redemptions_per_code},
        )
    active = GiftCode.objects.for_caller(caller).with_status(GiftCode.Status.ACTIVE, now).count()
    plans.require_room(caller.user_id, "max_active_gift_codes", used=active, adding=quantity)
