"""The sandbox's accounts, guilds, members, bans and audit logs."""

from datetime import datetime, timedelta

from bots.discord.permissions import Permission
from bots.discord.rest.errors import JsonCode
from bots.discord.sandbox import rules, shapes
from bots.discord.sandbox.calls import Answer, AuditAction, Call
from bots.discord.sandbox.refusals import RefusedError, invalid
from bots.discord.sandbox.world import GuildRow, now

MAX_DELETE_SECONDS = 7 * 24 * 3600
MAX_TIMEOUT = timedelta(days=28)


def own_user(call: Call) -> Answer:
    return shapes.own_user(call.world.users[call.bot_id])


def own_guilds(call: Call) -> Answer:
    guilds = [guild for guild in call.world.guilds.values() if call.bot_id in guild.members]
    return [shapes.guild_of_bot(guild, call.bot_id) for guild in guilds[:200]]


def get_user(call: Call) -> Answer:
    return shapes.user(call.world.users[call.user()])


def get_guild(call: Call) -> Answer:
    return shapes.guild(call.guild(), with_counts=call.query.text("with_counts") == "true")


def get_roles(call: Call) -> Answer:
    return [shapes.role(role) for role in call.guild().roles.values()]


def get_member(call: Call) -> Answer:
    guild, user_id = call.guild(), call.user()
    if user_id not in guild.members:
        raise RefusedError(JsonCode.UNKNOWN_MEMBER)
    return shapes.member(call.world, guild.members[user_id])


def edit_member(call: Call) -> Answer:
    """The one change that the platform makes: `communication_disabled_until`."""
    guild, user_id = call.guild(), call.user()
    if user_id not in guild.members:
        raise RefusedError(JsonCode.UNKNOWN_MEMBER)
    if call.body.has("communication_disabled_until"):
        until = call.body.moment("communication_disabled_until")
        rules.require(guild, call.bot_id, Permission.MODERATE_MEMBERS)
        rules.require_rank(guild, call.bot_id, user_id)
        if Permission.ADMINISTRATOR in rules.permissions_of(guild, user_id):
            raise RefusedError(JsonCode.MISSING_PERMISSIONS)
        _check_timeout(until)
        guild.members[user_id].timed_out_until = until
        call.log(guild, AuditAction.MEMBER_UPDATE, user_id)
    return shapes.member(call.world, guild.members[user_id])


def _check_timeout(until: datetime | None) -> None:
    if until is not None and until > now() + MAX_TIMEOUT:
        message = "Timeouts cannot be set for more than 28 days"
        raise invalid("communication_disabled_until", "COMMUNICATION_DISABLED_UNTIL_INVALID", message)


def kick(call: Call) -> Answer:
    guild, user_id = call.guild(), call.user()
    rules.require(guild, call.bot_id, Permission.KICK_MEMBERS)
    if user_id not in guild.members:
        raise RefusedError(JsonCode.UNKNOWN_MEMBER)
    rules.require_rank(guild, call.bot_id, user_id)
    del guild.members[user_id]
    call.log(guild, AuditAction.MEMBER_KICK, user_id)
    return None


def get_ban(call: Call) -> Answer:
    guild = call.guild()
    rules.require(guild, call.bot_id, Permission.BAN_MEMBERS)
    user_id = call.user()
    if user_id not in guild.bans:
        raise RefusedError(JsonCode.UNKNOWN_BAN)
    return shapes.ban(call.world, user_id, guild.bans[user_id])


def ban(call: Call) -> Answer:
    guild, user_id = call.guild(), call.user()
    rules.require(guild, call.bot_id, Permission.BAN_MEMBERS)
    call.body.integer("delete_message_seconds", default=0, least=0, most=MAX_DELETE_SECONDS)
    rules.require_rank(guild, call.bot_id, user_id)
    if user_id not in guild.bans:
        guild.members.pop(user_id, None)
        guild.bans[user_id] = call.reason
        call.log(guild, AuditAction.MEMBER_BAN_ADD, user_id)
    return None


def unban(call: Call) -> Answer:
    guild = call.guild()
    rules.require(guild, call.bot_id, Permission.BAN_MEMBERS)
    user_id = call.user()
    if user_id not in guild.bans:
        raise RefusedError(JsonCode.UNKNOWN_BAN)
    del guild.bans[user_id]
    call.log(guild, AuditAction.MEMBER_BAN_REMOVE, user_id)
    return None


def add_role(call: Call) -> Answer:
    guild, roles, role_id = _member_roles(call)
    if role_id not in roles:
        roles.append(role_id)
        call.log(guild, AuditAction.MEMBER_ROLE_UPDATE, call.ids["user"])
    return None


def remove_role(call: Call) -> Answer:
    guild, roles, role_id = _member_roles(call)
    if role_id in roles:
        roles.remove(role_id)
        call.log(guild, AuditAction.MEMBER_ROLE_UPDATE, call.ids["user"])
    return None


def _member_roles(call: Call) -> tuple[GuildRow, list[int], int]:
    """The guild, the member's roles and the role to change, which has to stand below the bot's own."""
    guild, user_id, role_id = call.guild(), call.user(), call.ids["role"]
    rules.require(guild, call.bot_id, Permission.MANAGE_ROLES)
    if user_id not in guild.members:
        raise RefusedError(JsonCode.UNKNOWN_MEMBER)
    role = guild.roles.get(role_id)
    if role is None:
        raise RefusedError(JsonCode.UNKNOWN_ROLE)
    owner = call.bot_id == guild.owner_id
    if role.managed_by is not None or (not owner and role.position >= rules.top_position(guild, call.bot_id)):
        raise RefusedError(JsonCode.MISSING_PERMISSIONS)
    return guild, guild.members[user_id].roles, role_id


def get_audit_log(call: Call) -> Answer:
    guild = call.guild()
    rules.require(guild, call.bot_id, Permission.VIEW_AUDIT_LOG)
    limit = call.query.integer("limit", default=50, least=1, most=100)
    action, actor = call.query.snowflake("action_type"), call.query.snowflake("user_id")
    lines = [
        line
        for line in guild.audit_log
        if (action is None or line.action_type == action) and (actor is None or line.user_id == actor)
    ]
    return shapes.audit_log(call.world, lines[:limit])
