"""The demo's gift codes in every state, with who redeemed them."""

from datetime import timedelta

from accounts.models import User
from bots.demo.guilds import Scene
from bots.models import CurrencyLedger, GiftCode, GiftReward, MemberXP, Redemption, RewardGrant, RewardKind
from bots.services.gift_codes import GROUP_LENGTH, digests, new_code

Given = RewardGrant.Status.GIVEN


def make(scene: Scene, owner: User) -> None:
    role_id = scene.new_id(scene.guild.joined_at, 900)
    role = GiftReward(kind=RewardKind.ROLE, role_id=role_id)
    week = GiftReward(kind=RewardKind.TEMP_ROLE, role_id=role_id + 1, duration_seconds=7 * 86_400)
    xp = GiftReward(kind=RewardKind.XP, amount=500)
    coins = GiftReward(kind=RewardKind.CURRENCY, amount=250)
    _code(scene, owner, [role, xp], days_ago=3, max_uses=50, used=18, ends_in=27)
    if scene.place.number == 1:
        _code(scene, owner, [coins], days_ago=12, max_uses=25, used=25, ends_in=18)
        _code(scene, owner, [week], days_ago=40, max_uses=100, used=31, ends_in=-10)
        _code(scene, owner, [xp, coins], days_ago=52, max_uses=10, used=4, ends_in=None, revoked=True)


def _code(
    scene: Scene,
    owner: User,
    rewards: list[GiftReward],
    *,
    days_ago: int,
    max_uses: int,
    used: int,
    ends_in: int | None,
    revoked: bool = False,
) -> None:
    made_at = scene.now - timedelta(days=days_ago)
    clear = new_code()
    code = GiftCode.objects.create(
        bot=scene.guild.bot,
        guild=scene.guild,
        prefix=clear[:GROUP_LENGTH],
        digest=digests(clear)[0],
        max_uses=max_uses,
        uses=used,
        created_by=owner,
        created_at=made_at,
        expires_at=None if ends_in is None else scene.now + timedelta(days=ends_in),
        revoked_at=made_at + timedelta(days=2) if revoked else None,
    )
    rows = GiftReward.objects.bulk_create(
        GiftReward(
            code=code,
            position=position,
            kind=reward.kind,
            role_id=reward.role_id,
            duration_seconds=reward.duration_seconds,
            amount=reward.amount,
        )
        for position, reward in enumerate(rewards, start=1)
    )
    people = [member for member in scene.members if member.joined_at < made_at][:used]
    redemptions = Redemption.objects.bulk_create(
        Redemption(
            code=code,
            guild=scene.guild,
            user_id=person.user_id,
            user_name=person.username,
            redeemed_at=made_at + timedelta(minutes=7 * number + 1),
        )
        for number, person in enumerate(people)
    )
    GiftCode.objects.filter(pk=code.pk).update(uses=len(redemptions))
    for reward in rows:
        _give(reward, redemptions)


def _give(reward: GiftReward, redemptions: list[Redemption]) -> None:
    """The reward in the hands of everybody who redeemed the code; what was for a time and is over, taken back."""
    over = reward.kind == RewardKind.TEMP_ROLE
    grants = RewardGrant.objects.bulk_create(
        RewardGrant(
            redemption=redemption,
            reward=reward,
            status=RewardGrant.Status.ENDED if over else Given,
            given_at=redemption.redeemed_at,
            ended_at=redemption.redeemed_at + timedelta(seconds=reward.duration_seconds or 0) if over else None,
        )
        for redemption in redemptions
    )
    if reward.kind == RewardKind.CURRENCY:
        CurrencyLedger.objects.bulk_create(
            CurrencyLedger(
                guild_id=redemption.guild_id,
                user_id=redemption.user_id,
                amount=reward.amount or 0,
                reason=f"Gift code {redemption.code.prefix}…",
                grant=grant,
            )
            for redemption, grant in zip(redemptions, grants, strict=True)
        )
    if reward.kind == RewardKind.XP:
        MemberXP.objects.bulk_create(
            [
                MemberXP(guild_id=redemption.guild_id, user_id=redemption.user_id, xp=reward.amount or 0)
                for redemption in redemptions
            ],
            ignore_conflicts=True,
        )
