"""Whether Discord would let the bot act on a member, from fresh reads, in plain words; no requests here."""

from dataclasses import dataclass
from enum import Enum

from bots.discord import permissions
from bots.discord.objects import Guild, Member
from bots.discord.permissions import Permission


class Act(Enum):
    """What a moderator may do to a member: the word for it and the permission Discord asks for.

    A warning asks Discord for nothing, but a moderator's rank counts for it all the same.
    """

    WARN = ("warn", Permission(0))
    KICK = ("kick", Permission.KICK_MEMBERS)
    BAN = ("ban", Permission.BAN_MEMBERS)
    UNBAN = ("unban", Permission.BAN_MEMBERS)
    TIMEOUT = ("time out", Permission.MODERATE_MEMBERS)

    def __init__(self, verb: str, permission: Permission) -> None:
        self.verb = verb
        self.permission = permission


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the act cannot be done: a stable `code`, and a `message` that says what to change."""

    code: str
    message: str


def refusal(act: Act, *, guild: Guild, bot: Member, target_id: int, target: Member | None) -> Refusal | None:
    """Why `bot` may not `act` on the user `target_id`, or None where it may.

    `target` is the user's membership, None for somebody who is not in the guild: they can be banned and unbanned only.
    """
    if target_id == bot.user.id:
        return Refusal("target_is_the_bot", f"The bot cannot {act.verb} itself. Name another user.")
    if target_id == guild.owner_id:
        return Refusal("target_owns_the_guild", f"Nobody can {act.verb} the owner of {guild.name}.")
    held = permissions.in_guild(guild, bot)
    if act.permission not in held:
        return Refusal(
            "bot_lacks_permission",
            f"The bot may not {act.verb} in {guild.name}: give one of its roles the permission {act.permission.label}.",
        )
    if act is Act.UNBAN:
        return None
    if target is None:
        if act is Act.BAN:
            return None
        return Refusal("target_not_a_member", f"This user is not in {guild.name}, so there is nobody to {act.verb}.")
    if act is Act.TIMEOUT and Permission.ADMINISTRATOR in permissions.in_guild(guild, target):
        return Refusal(
            "target_is_administrator",
            f"Discord times out nobody who has the permission Administrator, and {target.user.username} has it. "
            "Take the role away first.",
        )
    return _rank_refusal(act, guild=guild, bot=bot, target=target)


def highest_position(guild: Guild, member: Member) -> int:
    """The place of the member's highest role, 0 for @everyone alone; higher acts on lower."""
    held = set(member.roles)
    return max((role.position for role in guild.roles if role.id in held), default=0)


def _rank_refusal(act: Act, *, guild: Guild, bot: Member, target: Member) -> Refusal | None:
    if bot.user.id == guild.owner_id:
        return None
    # Equal counts as not below: two roles in one place happen for a moment while somebody reorders them.
    if highest_position(guild, target) < highest_position(guild, bot):
        return None
    return Refusal(
        "target_outranks_the_bot",
        f"The highest role of {target.user.username} is not below the bot's. In the server settings of {guild.name}, "
        f"under Roles, drag the bot's role above it to {act.verb} this user.",
    )
