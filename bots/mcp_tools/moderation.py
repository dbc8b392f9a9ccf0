"""mod.*: moderation cases, and acting on members at Discord."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from accounts.caller import Caller
from accounts.scopes import Scope
from bots.mcp_tools.shapes import (
    SANDBOX_NOTICE,
    SERVER,
    Arguments,
    BotId,
    Cursor,
    GuildId,
    Id,
    IdempotencyKey,
    Limit,
    Reason,
    Result,
    UserId,
)
from bots.models import ModerationCase
from bots.services import moderation
from bots.services.moderation import LONGEST_BAN_SECONDS, LONGEST_MESSAGE_DELETION_SECONDS
from mcp_gateway.registry import registry

Action = Literal["warn", "kick", "ban", "tempban", "unban", "mute", "unmute"]
Status = Literal["pending", "applied", "failed", "expired", "revoked", "superseded"]


class CaseCard(Result):
    id: Id
    number: int = Field(description="Counts the guild's cases.")
    bot_id: Id
    guild_id: Id
    guild_name: str
    action: Action
    status: Status
    user_id: Id
    user_name: str
    reason: str
    moderator: str
    automatic: bool = Field(description="Done by the bot's own rules.")
    duration_seconds: int | None
    created_at: datetime
    applied_at: datetime | None
    expires_at: datetime | None = Field(description="When the sanction ends by itself.")
    ended_at: datetime | None
    direct_message: Literal["none", "sent", "failed", "unknown"] = Field(description="Whether the member was told.")
    failure: str


class ListCases(Arguments):
    bot_id: BotId
    guild_id: GuildId | None = None
    user_id: UserId | None = None
    action: Action | None = None
    limit: Limit = 25
    cursor: Cursor | None = None


class CasePage(Result):
    cases: list[CaseCard]
    next_cursor: str | None


class ActOnUser(Arguments):
    bot_id: BotId
    guild_id: GuildId
    user_id: UserId
    reason: Reason = Field(description="Why. It is kept in the case and shown in the guild's audit log at Discord.")
    idempotency_key: IdempotencyKey | None = None


class BanUser(ActOnUser):
    duration_seconds: Annotated[int, Field(ge=1, le=LONGEST_BAN_SECONDS)] | None = Field(
        default=None, description="The ban ends by itself after so many seconds. Leave out for a ban for good."
    )
    delete_message_seconds: int = Field(
        default=0,
        ge=0,
        le=LONGEST_MESSAGE_DELETION_SECONDS,
        description="Delete what the user wrote in the last so many seconds, up to seven days.",
    )


class CaseResult(Result):
    case: CaseCard
    sandbox: bool
    notice: str | None = Field(description="What has to be known about this answer.")


@registry.tool(
    "mod.listCases", server=SERVER, scope=Scope.READ, title="List moderation cases", read_only=True, idempotent=True
)
def list_cases(caller: Caller, arguments: ListCases) -> CasePage:
    """List a bot's moderation cases, newest first, optionally of one guild, about one user or of one action.

    Give `nextCursor` of the answer as `cursor` to go on; it is empty on the last page.
    """
    page = moderation.list_cases(caller, **dict(arguments))
    return CasePage(cases=[_card(case) for case in page.rows], next_cursor=page.next_cursor)


@registry.tool("mod.warnUser", server=SERVER, scope=Scope.WRITE, title="Warn a user", open_world=True, calls_out=True)
def warn_user(caller: Caller, arguments: ActOnUser) -> CaseResult:
    """Issue a warning to a member of a guild and try to tell them by direct message.

    The warning stands whether or not the message arrives; `case.directMessage` says what became of it.
    """
    return _result(moderation.warn_user(caller, **_asked(arguments)))


@registry.tool(
    "mod.kickUser",
    server=SERVER,
    scope=Scope.WRITE,
    title="Kick a user",
    destructive=True,
    idempotent=True,
    open_world=True,
    calls_out=True,
)
def kick_user(caller: Caller, arguments: ActOnUser) -> CaseResult:
    """Kick a user from a guild at Discord. They may come back with an invitation.

    Kicking somebody who is gone since the last kick gives that kick's case and acts no second time.
    """
    return _result(moderation.kick_user(caller, **_asked(arguments)))


@registry.tool(
    "mod.banUser",
    server=SERVER,
    scope=Scope.WRITE,
    title="Ban a user",
    destructive=True,
    idempotent=True,
    open_world=True,
    calls_out=True,
)
def ban_user(caller: Caller, arguments: BanUser) -> CaseResult:
    """Ban a user from a guild at Discord, for good or for `durationSeconds`, member or not.

    While the same ban holds, calling again gives its case and bans no second time. A ban for good replaces a temporary
    one, which then does not end by itself any more.
    """
    return _result(moderation.ban_user(caller, **_asked(arguments)))


def _asked(arguments: ActOnUser) -> dict[str, Any]:
    return {**dict(arguments), "idempotency_key": arguments.idempotency_key or ""}


def _result(case: ModerationCase) -> CaseResult:
    sandbox = case.guild.bot.sandbox
    return CaseResult(case=_card(case), sandbox=sandbox, notice=SANDBOX_NOTICE if sandbox else None)


def _card(case: ModerationCase) -> CaseCard:
    return CaseCard(
        id=case.pk,
        number=case.number,
        bot_id=case.bot_id,
        guild_id=case.guild.discord_id,
        guild_name=case.guild.name,
        action=case.action,
        status=case.status,
        user_id=case.user_id,
        user_name=case.user_name,
        reason=case.reason,
        moderator=case.moderator_name,
        automatic=case.automatic,
        duration_seconds=case.duration_seconds,
        created_at=case.created_at,
        applied_at=case.applied_at,
        expires_at=case.expires_at,
        ended_at=case.ended_at,
        direct_message=case.direct_message,
        failure=case.failure,
    )
