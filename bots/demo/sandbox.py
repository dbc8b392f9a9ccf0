"""The sandbox Discord's side of the demo: the same guilds, people and bans, as the sandbox keeps them."""

import secrets

from bots.discord.permissions import INVITATION, Permission
from bots.discord.sandbox.world import GuildRow, World
from bots.models import Bot, GiftReward, Guild, GuildMembership, ModerationCase

BOT_POSITION = 5
STAFF_POSITION = 8


def new_token() -> str:
    """A token that no Discord but the sandbox knows."""
    return f"sandbox.{secrets.token_urlsafe(32)}"


def world_of(bot: Bot) -> World:
    """A world in which `bot` finds what its rows say."""
    world = World()
    world.add_bot(bot.name.lower(), token=bot.token, user_id=bot.application_id)
    for guild in Guild.objects.filter(bot=bot).joined():
        _add(world, bot, guild)
    return world


def _add(world: World, bot: Bot, guild: Guild) -> None:
    members = list(GuildMembership.objects.filter(guild=guild).order_by("joined_at", "user_id"))
    if not members:
        return
    for member in members:
        world.add_user(
            member.username,
            user_id=member.user_id,
            # Some people take no messages from bots, so that a warning can be seen to stand without one.
            takes_direct_messages=member.user_id % 5 != 0,
        )
    owner, *_ = members
    row = world.add_guild(guild.name, owner_id=owner.user_id, guild_id=guild.discord_id)
    world.invite_bot(row, bot.application_id, position=BOT_POSITION, permissions=int(INVITATION))
    staff_role = world.add_role(row, "Staff", position=STAFF_POSITION, permissions=int(Permission.MANAGE_MESSAGES))
    for member in members:
        if member.left_at is None:
            # The staff were there before everybody else.
            founder = member.joined_at == owner.joined_at
            world.join(row, member.user_id, roles=[staff_role.id] if founder else []).joined_at = member.joined_at
    _add_roles_of_codes(world, row, guild)
    _add_bans(world, row, guild)


def _add_roles_of_codes(world: World, row: GuildRow, guild: Guild) -> None:
    """The roles that gift codes give, below the bot's own, so that it can give them."""
    given = GiftReward.objects.filter(code__guild=guild, role_id__isnull=False)
    role_ids = {reward.role_id for reward in given if reward.role_id is not None}
    for position, role_id in enumerate(sorted(role_ids), start=1):
        world.add_role(row, f"Gift role {position}", position=position, role_id=role_id)


def _add_bans(world: World, row: GuildRow, guild: Guild) -> None:
    holding = ModerationCase.objects.filter(guild=guild).open_bans().filter(status=ModerationCase.Status.APPLIED)
    for case in holding:
        if case.user_id not in world.users:
            world.add_user(case.user_name or "somebody", user_id=case.user_id)
        row.bans[case.user_id] = case.reason
        row.members.pop(case.user_id, None)
