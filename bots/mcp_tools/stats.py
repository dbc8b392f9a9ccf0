"""stats.*: a bot in numbers, and the caller's own plan."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from accounts.caller import Caller
from accounts.scopes import Scope
from bots.mcp_tools.shapes import SANDBOX_NOTICE, SERVER, Arguments, BotId, Id, Result
from bots.services import stats, subscription
from mcp_gateway.registry import registry


class GetBotSummary(Arguments):
    bot_id: BotId


class GuildCard(Result):
    guild_id: Id
    name: str
    members: int


class RunsCard(Result):
    commands: int
    errors: int


class BotSummary(Result):
    bot_id: Id
    name: str
    application_id: Id
    status: Literal["active", "unauthorized", "disabled"]
    last_error: str
    guild_count: int
    guilds: list[GuildCard]
    last_24_hours: RunsCard
    last_7_days: RunsCard
    last_30_days: RunsCard
    plan: str = Field(description="The owner's plan.")
    sandbox: bool
    notice: str | None


class GetOwnSubscription(Arguments):
    pass


class OwnBot(Result):
    bot_id: Id
    name: str
    sandbox: bool


class OwnSubscription(Result):
    plan: str
    plan_name: str
    ai_token_quota: int | None = Field(description="AI tokens a period includes; empty for no limit.")
    ai_tokens_used: int
    ai_tokens_left: int | None
    period_start: datetime
    next_renewal: datetime | None = Field(description="Empty when the plan ends instead of renewing.")
    bots: list[OwnBot] = Field(description="Your bots, with the ids that the other tools take.")


@registry.tool(
    "stats.getBotSummary", server=SERVER, scope=Scope.READ, title="Get a bot's summary", read_only=True, idempotent=True
)
def get_bot_summary(caller: Caller, arguments: GetBotSummary) -> BotSummary:
    """Give a bot's guilds, commands run and failed in the last 24 hours, 7 and 30 days, its plan tier and status."""
    summary = stats.get_bot_summary(caller, bot_id=arguments.bot_id)
    bot = summary.bot
    return BotSummary(
        bot_id=bot.pk,
        name=bot.name,
        application_id=bot.application_id,
        status=bot.status,
        last_error=bot.last_error,
        guild_count=len(summary.guilds),
        guilds=[
            GuildCard(guild_id=guild.discord_id, name=guild.name, members=guild.member_count)
            for guild in summary.guilds
        ],
        last_24_hours=_runs(summary.runs["24h"]),
        last_7_days=_runs(summary.runs["7d"]),
        last_30_days=_runs(summary.runs["30d"]),
        plan=summary.plan_code,
        sandbox=bot.sandbox,
        notice=SANDBOX_NOTICE if bot.sandbox else None,
    )


@registry.tool(
    "stats.getOwnSubscription",
    server=SERVER,
    scope=Scope.READ,
    title="Get your subscription",
    read_only=True,
    idempotent=True,
)
def get_own_subscription(caller: Caller, arguments: GetOwnSubscription) -> OwnSubscription:
    """Give your plan, its AI token quota and how much of it is used, the next renewal, and your bots with their ids."""
    own = subscription.get_own_subscription(caller)
    return OwnSubscription(
        plan=own.plan.code,
        plan_name=own.plan.name,
        ai_token_quota=own.ai_tokens.quota,
        ai_tokens_used=own.ai_tokens.used,
        ai_tokens_left=own.ai_tokens.left,
        period_start=own.ai_tokens.period_start,
        next_renewal=own.ai_tokens.renews_at,
        bots=[OwnBot(bot_id=bot.pk, name=bot.name, sandbox=bot.sandbox) for bot in own.bots],
    )


def _runs(runs: stats.Runs) -> RunsCard:
    return RunsCard(commands=runs.commands, errors=runs.errors)
