"""giftCode.*: codes that give roles, experience or currency."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from accounts.caller import Caller
from accounts.scopes import Scope
from bots.mcp_tools.shapes import (
    SERVER,
    Arguments,
    BotId,
    CodeId,
    Cursor,
    GuildId,
    Id,
    Limit,
    Moment,
    Result,
    RoleId,
)
from bots.models import GiftCode, GiftReward, RewardKind
from bots.services import gift_codes
from bots.services.gift_codes import MOST_AT_ONCE, MOST_REWARDS, MOST_USES, REDEMPTIONS_SHOWN, Reward
from mcp_gateway.registry import registry

Status = Literal["active", "revoked", "expired", "exhausted"]
Amount = Annotated[int, Field(ge=1, le=1_000_000_000)]
YEAR_IN_SECONDS = 366 * 86_400


class RoleReward(Arguments):
    kind: Literal["ROLE"]
    role_id: RoleId

    def reward(self) -> Reward:
        return Reward(RewardKind.ROLE, role_id=self.role_id)


class TemporaryRoleReward(Arguments):
    kind: Literal["TEMP_ROLE"]
    role_id: RoleId
    duration_seconds: int = Field(ge=60, le=YEAR_IN_SECONDS, description="The role is taken back after so long.")

    def reward(self) -> Reward:
        return Reward(RewardKind.TEMP_ROLE, role_id=self.role_id, duration_seconds=self.duration_seconds)


class AmountReward(Arguments):
    kind: Literal["XP", "CURRENCY"]
    amount: Amount

    def reward(self) -> Reward:
        return Reward(RewardKind(self.kind), amount=self.amount)


AnyReward = Annotated[RoleReward | TemporaryRoleReward | AmountReward, Field(discriminator="kind")]


class RewardCard(Result):
    kind: Literal["ROLE", "TEMP_ROLE", "XP", "CURRENCY"]
    role_id: Id | None
    duration_seconds: int | None
    amount: int | None


class RedemptionCard(Result):
    user_id: Id
    user_name: str
    guild_id: Id
    redeemed_at: datetime


class CodeCard(Result):
    id: Id
    prefix: str = Field(description="The code's first characters. The whole code is shown once, when it is made.")
    bot_id: Id
    guild_id: Id | None = Field(description="The guild it is for; empty for any guild of the bot.")
    status: Status
    uses: int
    max_uses: int
    rewards: list[RewardCard]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class ListedCode(CodeCard):
    redemptions: list[RedemptionCard] = Field(description=f"The newest {REDEMPTIONS_SHOWN}.")


class GeneratedCode(CodeCard):
    code: str = Field(description="The code in clear. Pass it on now: it cannot be shown again.")


class ListCodes(Arguments):
    bot_id: BotId
    status: Status | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


class CodePage(Result):
    codes: list[ListedCode]
    next_cursor: str | None


class GenerateCodes(Arguments):
    bot_id: BotId
    guild_id: GuildId | None = Field(default=None, description="Needed for roles, which belong to one guild.")
    rewards: list[AnyReward] = Field(min_length=1, max_length=MOST_REWARDS)
    max_uses: int = Field(ge=1, le=MOST_USES, description="How many people may redeem each code, each of them once.")
    expires_at: Moment | None = Field(default=None, description="When the codes end, in ISO 8601; leave out for never.")
    quantity: int = Field(default=1, ge=1, le=MOST_AT_ONCE)


class GeneratedCodes(Result):
    codes: list[GeneratedCode]


class RevokeCode(Arguments):
    code_id: CodeId


class RevokedCode(Result):
    code: CodeCard


@registry.tool(
    "giftCode.list", server=SERVER, scope=Scope.READ, title="List gift codes", read_only=True, idempotent=True
)
def list_codes(caller: Caller, arguments: ListCodes) -> CodePage:
    """List a bot's gift codes, newest first: what they give, how often they were used and by whom.

    A code is shown by its first characters only. Give `nextCursor` of the answer as `cursor` to go on.
    """
    page = gift_codes.list_codes(caller, **dict(arguments))
    return CodePage(codes=[_listed(code) for code in page.rows], next_cursor=page.next_cursor)


@registry.tool("giftCode.generate", server=SERVER, scope=Scope.WRITE, title="Generate gift codes")
def generate_codes(caller: Caller, arguments: GenerateCodes) -> GeneratedCodes:
    """Make gift codes that give a role, a role for a time, experience (XP) or currency.

    The codes are in this answer in clear and nowhere afterwards. The plan limits how many may be active at a time and
    how often each may be used.
    """
    asked = {**dict(arguments), "rewards": [reward.reward() for reward in arguments.rewards]}
    made = gift_codes.generate_codes(caller, **asked)
    rewards = [RewardCard(**_reward_fields(reward)) for reward in asked["rewards"]]
    return GeneratedCodes(codes=[GeneratedCode(**_fields(new.row, rewards), code=new.code) for new in made])


@registry.tool("giftCode.revoke", server=SERVER, scope=Scope.WRITE, title="Revoke a gift code", destructive=True)
def revoke_code(caller: Caller, arguments: RevokeCode) -> RevokedCode:
    """Revoke a gift code, so that nobody redeems it any more. What it gave before stays given."""
    code = gift_codes.revoke_code(caller, code_id=arguments.code_id)
    return RevokedCode(code=CodeCard(**_fields(code, _reward_cards(code))))


def _listed(code: GiftCode) -> ListedCode:
    redemptions = [
        RedemptionCard(
            user_id=redemption.user_id,
            user_name=redemption.user_name,
            guild_id=redemption.guild.discord_id,
            redeemed_at=redemption.redeemed_at,
        )
        for redemption in code.newest_redemptions
    ]
    return ListedCode(**_fields(code, _reward_cards(code)), redemptions=redemptions)


def _reward_cards(code: GiftCode) -> list[RewardCard]:
    return [RewardCard(**_reward_fields(reward)) for reward in code.rewards.all()]


def _reward_fields(reward: GiftReward | Reward) -> dict[str, object]:
    return {name: getattr(reward, name) for name in RewardCard.model_fields}


def _fields(code: GiftCode, rewards: list[RewardCard]) -> dict[str, object]:
    return {
        "id": code.pk,
        "prefix": code.prefix,
        "bot_id": code.bot_id,
        "guild_id": code.guild.discord_id if code.guild else None,
        "status": code.status,
        "uses": code.uses,
        "max_uses": code.max_uses,
        "rewards": rewards,
        "created_at": code.created_at,
        "expires_at": code.expires_at,
        "revoked_at": code.revoked_at,
    }
