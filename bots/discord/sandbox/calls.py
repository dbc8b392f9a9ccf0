"""What an endpoint is given and what it gives back: one authenticated call on the sandbox's world."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from bots.discord.rest.errors import JsonCode
from bots.discord.sandbox import rules
from bots.discord.sandbox.fields import Fields
from bots.discord.sandbox.refusals import RefusedError
from bots.discord.sandbox.world import AuditLine, GuildRow, World

# The JSON of a success, or None for 204.
Answer = dict[str, Any] | list[Any] | None


class AuditAction(IntEnum):
    CHANNEL_UPDATE = 11
    CHANNEL_DELETE = 12
    MEMBER_KICK = 20
    MEMBER_BAN_ADD = 22
    MEMBER_BAN_REMOVE = 23
    MEMBER_UPDATE = 24
    MEMBER_ROLE_UPDATE = 25


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: the world, the bot that asks, the ids in the path, query and body."""

    world: World
    bot_id: int
    ids: Mapping[str, int]
    query: Fields
    body: Fields
    reason: str | None

    def guild(self) -> GuildRow:
        return rules.guild_of(self.world, self.ids["guild"], self.bot_id)

    def user(self) -> int:
        user_id = self.ids["user"]
        if user_id not in self.world.users:
            raise RefusedError(JsonCode.UNKNOWN_USER)
        return user_id

    def log(self, guild: GuildRow, action: AuditAction, target_id: int) -> None:
        line = AuditLine(
            id=self.world.new_id(),
            action_type=action,
            user_id=self.bot_id,
            target_id=target_id,
            reason=self.reason,
        )
        guild.audit_log.insert(0, line)
