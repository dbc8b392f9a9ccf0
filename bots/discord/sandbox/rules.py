"""Who may do what to whom in the sandbox: Discord's rules, written apart from the platform's own reading of them."""

from bots.discord.permissions import EVERYTHING, Permission, combined
from bots.discord.rest.errors import JsonCode
from bots.discord.sandbox.refusals import RefusedError
from bots.discord.sandbox.world import GuildRow, World


def guild_of(world: World, guild_id: int, bot_id: int) -> GuildRow:
    """The guild, if it exists and the bot is in it."""
    guild = world.guilds.get(guild_id)
    if guild is None:
        raise RefusedError(JsonCode.UNKNOWN_GUILD)
    if bot_id not in guild.members:
        raise RefusedError(JsonCode.MISSING_ACCESS)
    return guild


def permissions_of(guild: GuildRow, user_id: int) -> Permission:
    if user_id == guild.owner_id:
        return EVERYTHING
    held = [guild.id, *(guild.members[user_id].roles if user_id in guild.members else [])]
    return combined(guild.roles[role].permissions for role in held if role in guild.roles)


def require(guild: GuildRow, bot_id: int, permission: Permission) -> None:
    if permission not in permissions_of(guild, bot_id):
        raise RefusedError(JsonCode.MISSING_PERMISSIONS)


def require_rank(guild: GuildRow, bot_id: int, user_id: int) -> None:
    """Refuse unless the bot stands above the user: nobody stands above the owner, and equals are not below."""
    if user_id == guild.owner_id:
        raise RefusedError(JsonCode.MISSING_PERMISSIONS)
    if bot_id == guild.owner_id or user_id not in guild.members:
        return
    if top_position(guild, user_id) >= top_position(guild, bot_id):
        raise RefusedError(JsonCode.MISSING_PERMISSIONS)


def top_position(guild: GuildRow, user_id: int) -> int:
    return max((guild.roles[role].position for role in guild.members[user_id].roles if role in guild.roles), default=0)
