"""The parts of Discord's objects that the platform reads, parsed from its JSON; fields it does not use are dropped."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict

from bots.discord import snowflake
from bots.discord.snowflake import Snowflake


def _snowflake(value: Any) -> Any:
    return snowflake.parse(value) if isinstance(value, str) else value


Id = Annotated[Snowflake, BeforeValidator(_snowflake)]
# A decimal string in JSON, because JavaScript would lose its high bits.
Bits = Annotated[int, BeforeValidator(lambda value: int(value) if isinstance(value, str) else value)]


class DiscordObject(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class User(DiscordObject):
    id: Id
    username: str
    global_name: str | None = None
    bot: bool = False


class Role(DiscordObject):
    id: Id
    name: str
    position: int
    permissions: Bits
    managed: bool = False


class Guild(DiscordObject):
    id: Id
    name: str
    owner_id: Id
    roles: tuple[Role, ...]
    approximate_member_count: int | None = None


class GuildOfBot(DiscordObject):
    """A guild as the list of the bot's guilds shows it."""

    id: Id
    name: str
    permissions: Bits


class Member(DiscordObject):
    user: User
    nick: str | None = None
    roles: tuple[Id, ...]
    joined_at: datetime | None = None
    communication_disabled_until: datetime | None = None


class Ban(DiscordObject):
    user: User
    reason: str | None = None


class Channel(DiscordObject):
    id: Id
    type: int
    guild_id: Id | None = None
    name: str | None = None


class Message(DiscordObject):
    id: Id
    channel_id: Id
    content: str
    author: User
    timestamp: datetime


class AuditLogEntry(DiscordObject):
    """One line of a guild's own audit log; `user_id` is who acted, `target_id` on whom."""

    id: Id
    action_type: int
    user_id: Id | None = None
    target_id: Id | None = None
    reason: str | None = None

    @property
    def at(self) -> datetime:
        return snowflake.created_at(self.id)
