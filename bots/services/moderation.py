"""What can be done in moderation: list cases, warn, kick, ban, unban, mute and unmute."""

from accounts.caller import Caller
from accounts.errors import Invalid
from accounts.scopes import Scope
from bots.models import ModerationCase
from bots.services import sanctions
from bots.services.bots import find_bot, find_guild
from bots.services.cursors import Page, page_of
from bots.services.sanctions import Action, Sanction

REASON_LENGTH = 500
# Discord shortens nothing and refuses longer ones: timeouts end within 28 days.
LONGEST_MUTE_SECONDS = 28 * 86_400
LONGEST_BAN_SECONDS = 10 * 366 * 86_400
LONGEST_MESSAGE_DELETION_SECONDS = 604_800


def list_cases(
    caller: Caller,
    *,
    bot_id: int,
    guild_id: int | None = None,
    user_id: int | None = None,
    action: str | None = None,
    limit: int = 25,
    cursor: str | None = None,
    oldest_first: bool = False,
) -> Page[ModerationCase]:
    """A bot's cases, newest first unless said otherwise; `guild_id` and `user_id` are Discord's."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    cases = ModerationCase.objects.for_caller(caller).filter(bot=bot).select_related("guild")
    if guild_id is not None:
        cases = cases.filter(guild=find_guild(bot, guild_id))
    if user_id is not None:
        cases = cases.filter(user_id=user_id)
    if action is not None:
        cases = cases.filter(action=action)
    return page_of(cases, limit=limit, cursor=cursor, oldest_first=oldest_first)


def warn_user(
    caller: Caller, *, bot_id: int, guild_id: int, user_id: int, reason: str, idempotency_key: str = ""
) -> ModerationCase:
    """Record a warning and try to tell the member by direct message."""
    return _carry_out(caller, bot_id, guild_id, Sanction(Action.WARN, user_id, reason, idempotency_key=idempotency_key))


def kick_user(
    caller: Caller, *, bot_id: int, guild_id: int, user_id: int, reason: str, idempotency_key: str = ""
) -> ModerationCase:
    """Remove the member from the guild. They may come back with an invitation."""
    return _carry_out(caller, bot_id, guild_id, Sanction(Action.KICK, user_id, reason, idempotency_key=idempotency_key))


def ban_user(
    caller: Caller,
    *,
    bot_id: int,
    guild_id: int,
    user_id: int,
    reason: str,
    duration_seconds: int | None = None,
    delete_message_seconds: int = 0,
    idempotency_key: str = "",
) -> ModerationCase:
    """Ban the user, member or not; with a duration the ban ends by itself."""
    if duration_seconds is not None:
        _within("duration", duration_seconds, 1, LONGEST_BAN_SECONDS)
    _within("time of which messages are deleted", delete_message_seconds, 0, LONGEST_MESSAGE_DELETION_SECONDS)
    action = Action.BAN if duration_seconds is None else Action.TEMPBAN
    sanction = Sanction(action, user_id, reason, duration_seconds, delete_message_seconds, idempotency_key)
    return _carry_out(caller, bot_id, guild_id, sanction)


def unban_user(
    caller: Caller, *, bot_id: int, guild_id: int, user_id: int, reason: str, idempotency_key: str = ""
) -> ModerationCase:
    """Lift the ban. A temporary one does not end a second time."""
    return _carry_out(
        caller, bot_id, guild_id, Sanction(Action.UNBAN, user_id, reason, idempotency_key=idempotency_key)
    )


def mute_user(
    caller: Caller,
    *,
    bot_id: int,
    guild_id: int,
    user_id: int,
    reason: str,
    duration_seconds: int,
    idempotency_key: str = "",
) -> ModerationCase:
    """Keep the member from writing and speaking for a time; Discord ends it by itself."""
    _within("duration", duration_seconds, 1, LONGEST_MUTE_SECONDS)
    sanction = Sanction(Action.MUTE, user_id, reason, duration_seconds, idempotency_key=idempotency_key)
    return _carry_out(caller, bot_id, guild_id, sanction)


def unmute_user(
    caller: Caller, *, bot_id: int, guild_id: int, user_id: int, reason: str, idempotency_key: str = ""
) -> ModerationCase:
    """Let the member write and speak again."""
    return _carry_out(
        caller, bot_id, guild_id, Sanction(Action.UNMUTE, user_id, reason, idempotency_key=idempotency_key)
    )


def _carry_out(caller: Caller, bot_id: int, guild_id: int, sanction: Sanction) -> ModerationCase:
    caller.require(Scope.WRITE)
    if not 1 <= len(sanction.reason.strip()) <= REASON_LENGTH:
        raise Invalid(f"Give a reason of 1 to {REASON_LENGTH} characters; it stands in the guild's audit log.")
    guild = find_guild(find_bot(caller, bot_id), guild_id)
    return sanctions.carry_out(caller, guild, sanction)


def _within(what: str, seconds: int, least: int, most: int) -> None:
    if not least <= seconds <= most:
        raise Invalid(f"The {what} is {seconds} s; it is {least} to {most} s.")
