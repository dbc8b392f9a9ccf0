"""The sandbox's rows in the form Discord answers with, all required fields of its published description included."""

from datetime import datetime
from typing import Any

from bots.discord.sandbox import rules
from bots.discord.sandbox.world import Account, AuditLine, ChannelRow, GuildRow, Membership, MessageRow, RoleRow, World

JSON = dict[str, Any]

_GUILD_UNSET = (
    "icon",
    "description",
    "home_header",
    "splash",
    "discovery_splash",
    "banner",
    "application_id",
    "afk_channel_id",
    "system_channel_id",
    "widget_channel_id",
    "max_presences",
    "vanity_url_code",
    "rules_channel_id",
    "safety_alerts_channel_id",
    "public_updates_channel_id",
    "incidents_data",
)
_GUILD_ZERO = (
    "system_channel_flags",
    "verification_level",
    "default_message_notifications",
    "mfa_level",
    "explicit_content_filter",
    "premium_tier",
    "premium_subscription_count",
    "nsfw_level",
)
_AUDIT_LOG_EMPTY = (
    "integrations",
    "webhooks",
    "guild_scheduled_events",
    "threads",
    "application_commands",
    "auto_moderation_rules",
)


def user(account: Account) -> JSON:
    shape: JSON = {
        "id": str(account.id),
        "username": account.username,
        "discriminator": "0",
        "global_name": account.global_name,
        "avatar": None,
        "avatar_decoration_data": None,
        "collectibles": None,
        "primary_guild": None,
        "public_flags": 0,
        "flags": 0,
    }
    return shape | ({"bot": True} if account.bot else {})


def own_user(account: Account) -> JSON:
    return user(account) | {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}


def role(row: RoleRow) -> JSON:
    shape: JSON = {
        "id": str(row.id),
        "name": row.name,
        "permissions": str(row.permissions),
        "position": row.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": row.managed_by is not None,
        "mentionable": False,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }
    return shape | ({"tags": {"bot_id": str(row.managed_by)}} if row.managed_by is not None else {})


def guild(row: GuildRow, *, with_counts: bool) -> JSON:
    shape: JSON = {
        "id": str(row.id),
        "name": row.name,
        "owner_id": str(row.owner_id),
        "roles": [role(each) for each in row.roles.values()],
        "features": [],
        "emojis": [],
        "stickers": [],
        "region": "deprecated",
        "afk_timeout": 300,
        "widget_enabled": False,
        "premium_progress_bar_enabled": False,
        "nsfw": False,
        "preferred_locale": "en-US",
        "max_members": 500_000,
        "max_stage_video_channel_users": 50,
        "max_video_channel_users": 25,
    }
    counts = {"approximate_member_count": len(row.members), "approximate_presence_count": 0} if with_counts else {}
    return dict.fromkeys(_GUILD_UNSET) | dict.fromkeys(_GUILD_ZERO, 0) | shape | counts


def guild_of_bot(row: GuildRow, bot_id: int) -> JSON:
    return {
        "id": str(row.id),
        "name": row.name,
        "icon": None,
        "banner": None,
        "owner": row.owner_id == bot_id,
        "permissions": str(int(rules.permissions_of(row, bot_id))),
        "features": [],
    }


def member(world: World, row: Membership) -> JSON:
    return {
        "user": user(world.users[row.user_id]),
        "nick": row.nick,
        "avatar": None,
        "avatar_decoration_data": None,
        "banner": None,
        "collectibles": None,
        "roles": [str(each) for each in row.roles],
        "joined_at": _moment(row.joined_at),
        "premium_since": None,
        "communication_disabled_until": _moment(row.timed_out_until),
        "flags": 0,
        "pending": False,
        "mute": False,
        "deaf": False,
    }


def ban(world: World, user_id: int, reason: str | None) -> JSON:
    return {"user": user(world.users[user_id]), "reason": reason}


def channel(world: World, row: ChannelRow) -> JSON:
    if row.guild_id is None:
        recipients = [user(world.users[row.user_id])] if row.user_id in world.users else []
        return {"id": str(row.id), "type": row.type, "flags": 0, "last_message_id": None, "recipients": recipients}
    return {
        "id": str(row.id),
        "type": row.type,
        "flags": 0,
        "last_message_id": None,
        "guild_id": str(row.guild_id),
        "name": row.name,
        "topic": row.topic,
        "parent_id": str(row.parent_id) if row.parent_id else None,
        "position": 0,
        "permission_overwrites": [],
        "rate_limit_per_user": 0,
        "nsfw": False,
    }


def message(world: World, row: MessageRow) -> JSON:
    shape: JSON = {
        "id": str(row.id),
        "channel_id": str(row.channel_id),
        "author": user(world.users[row.author_id]),
        "content": row.content,
        "timestamp": _moment(row.timestamp),
        "edited_timestamp": None,
        "type": 0,
        "flags": 0,
        "tts": False,
        "pinned": False,
        "mention_everyone": False,
    }
    lists: JSON = {name: [] for name in ("mentions", "mention_roles", "attachments", "embeds", "components")}
    return shape | lists | ({"nonce": row.nonce} if row.nonce else {})


def audit_log(world: World, lines: list[AuditLine]) -> JSON:
    involved = {line.user_id for line in lines} | {line.target_id for line in lines}
    return {name: [] for name in _AUDIT_LOG_EMPTY} | {
        "audit_log_entries": [_audit_line(line) for line in lines],
        "users": [user(world.users[each]) for each in sorted(involved) if each in world.users],
    }


def _audit_line(line: AuditLine) -> JSON:
    shape: JSON = {
        "id": str(line.id),
        "action_type": line.action_type,
        "user_id": str(line.user_id),
        "target_id": str(line.target_id),
    }
    return shape | ({"reason": line.reason} if line.reason else {})


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
