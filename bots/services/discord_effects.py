"""What each kind of case does at Discord, and how to see there whether it was done."""

from datetime import timedelta

from django.utils import timezone

from bots.discord.objects import AuditLogEntry
from bots.discord.rest import DiscordClient, DiscordError, DiscordUnavailable
from bots.models import Guild, ModerationCase

Action = ModerationCase.Action

# https://discord.com/developers/docs/resources/audit-log#audit-log-entry-object-audit-log-events
MEMBER_KICK = 20
# Discord's clock and ours may differ by this much when an entry of its audit log is compared with a case.
CLOCK_SKEW = timedelta(seconds=30)


def bring_about(client: DiscordClient, case: ModerationCase) -> None:
    """Do at Discord what the case says. Raises what the client raises, except for a warning's direct message."""
    guild_id, user_id, reason = case.guild.discord_id, case.user_id, _reason(case)
    match case.action:
        case Action.WARN:
            _send_warning(client, case)
        case Action.KICK:
            client.kick(guild_id, user_id, reason=reason)
        case Action.BAN | Action.TEMPBAN:
            client.ban(guild_id, user_id, reason=reason, delete_message_seconds=case.delete_message_seconds)
        case Action.UNBAN:
            client.unban(guild_id, user_id, reason=reason)
        case Action.MUTE:
            until = timezone.now() + timedelta(seconds=case.duration_seconds or 0)
            client.time_out(guild_id, user_id, until=until, reason=reason)
        case Action.UNMUTE:
            client.time_out(guild_id, user_id, until=None, reason=reason)


def shows(client: DiscordClient, case: ModerationCase) -> bool:
    """Whether Discord shows the case's effect: asked after a crash or a lost answer, never taken for granted."""
    match case.action:
        case Action.WARN:
            # The warning is the case itself. Its message may have gone out, and two would be worse than none.
            case.direct_message = ModerationCase.DirectMessage.UNKNOWN
            return True
        case Action.KICK:
            return _was_kicked(client, case)
        case Action.BAN | Action.TEMPBAN:
            return is_banned(client, case.guild, case.user_id)
        case Action.UNBAN:
            return not is_banned(client, case.guild, case.user_id)
        case _:
            member = client.find_member(case.guild.discord_id, case.user_id)
            until = member.communication_disabled_until if member else None
            muted = until is not None and until > timezone.now()
            return muted == (case.action == Action.MUTE)


def is_banned(client: DiscordClient, guild: Guild, user_id: int) -> bool:
    return client.find_ban(guild.discord_id, user_id) is not None


def _was_kicked(client: DiscordClient, case: ModerationCase) -> bool:
    """By the guild's audit log, which tells our kick from a member who left; without sight of it, by the absence."""
    try:
        entries = client.audit_log(case.guild.discord_id, action_type=MEMBER_KICK, acted_by=client.current_user().id)
    except DiscordError as error:
        if error.status != 403:
            raise
        return client.find_member(case.guild.discord_id, case.user_id) is None
    return any(_is_about(entry, case) for entry in entries)


def _is_about(entry: AuditLogEntry, case: ModerationCase) -> bool:
    return entry.target_id == case.user_id and entry.at >= case.created_at - CLOCK_SKEW


def _send_warning(client: DiscordClient, case: ModerationCase) -> None:
    """Tell the member. That they cannot be told is noted in the case and stops nothing."""
    text = f"You were warned in {case.guild.name}: {case.reason}"
    try:
        client.send_message(client.open_dm(case.user_id).id, text)
    except DiscordError as error:
        case.direct_message = ModerationCase.DirectMessage.FAILED
        case.failure = f"The direct message was not delivered. {error.message}"[:300]
    except DiscordUnavailable as unavailable:
        unknown = unavailable.outcome_unknown
        case.direct_message = ModerationCase.DirectMessage.UNKNOWN if unknown else ModerationCase.DirectMessage.FAILED
        case.failure = f"The direct message may not have been delivered. {unavailable.message}"[:300]
    else:
        case.direct_message = ModerationCase.DirectMessage.SENT


def _reason(case: ModerationCase) -> str:
    """What the guild's own audit log shows."""
    return f"Case {case.number}, {case.moderator_name or 'automatic'}: {case.reason}"
