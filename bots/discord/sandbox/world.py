"""Everything the sandbox knows: accounts, bots, guilds, channels, messages. Kept in one JSON file, written whole."""

import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, PlainSerializer

from bots.discord import snowflake
from bots.discord.permissions import Permission

# Strings in JSON, as Discord has them; pydantic reads them back as numbers.
Id = Annotated[int, PlainSerializer(str, return_type=str, when_used="json")]

EVERYBODY_MAY = Permission.VIEW_CHANNEL | Permission.SEND_MESSAGES | Permission.READ_MESSAGE_HISTORY


def now() -> datetime:
    return datetime.now(UTC)


class Account(BaseModel):
    id: Id
    username: str
    global_name: str | None = None
    bot: bool = False
    takes_direct_messages: bool = True


class BotLogin(BaseModel):
    token: str
    user_id: Id


class RoleRow(BaseModel):
    id: Id
    name: str
    position: int
    permissions: Id
    managed_by: Id | None = None


class Membership(BaseModel):
    user_id: Id
    roles: list[Id] = Field(default_factory=list)
    nick: str | None = None
    joined_at: datetime = Field(default_factory=now)
    timed_out_until: datetime | None = None


class AuditLine(BaseModel):
    """A line of a guild's audit log."""

    id: Id
    action_type: int
    user_id: Id
    target_id: Id
    reason: str | None = None


class GuildRow(BaseModel):
    id: Id
    name: str
    owner_id: Id
    roles: dict[int, RoleRow] = Field(default_factory=dict)
    members: dict[int, Membership] = Field(default_factory=dict)
    # The banned users, with the reason given.
    bans: dict[int, str | None] = Field(default_factory=dict)
    audit_log: list[AuditLine] = Field(default_factory=list)


class ChannelRow(BaseModel):
    """A guild's channel, or a direct one between a bot and a user (type 1)."""

    id: Id
    type: int = 0
    guild_id: Id | None = None
    name: str | None = None
    topic: str | None = None
    parent_id: Id | None = None
    bot_id: Id | None = None
    user_id: Id | None = None


class MessageRow(BaseModel):
    id: Id
    channel_id: Id
    author_id: Id
    content: str
    nonce: str | None = None
    timestamp: datetime = Field(default_factory=now)


class World(BaseModel):
    """The whole state, and the ways to add to it that a test or the demo needs."""

    bots: list[BotLogin] = Field(default_factory=list)
    users: dict[int, Account] = Field(default_factory=dict)
    guilds: dict[int, GuildRow] = Field(default_factory=dict)
    channels: dict[int, ChannelRow] = Field(default_factory=dict)
    messages: list[MessageRow] = Field(default_factory=list)
    last_id: Id = 0

    def new_id(self) -> int:
        """An id of this moment, larger than all before it."""
        self.last_id = max(self.last_id + 1, int(snowflake.at(now())))
        return self.last_id

    def bot_of(self, token: str) -> int | None:
        """The account that signs in with `token`."""
        return next((bot.user_id for bot in self.bots if secrets.compare_digest(bot.token, token)), None)

    def add_user(self, username: str, *, user_id: int | None = None, takes_direct_messages: bool = True) -> Account:
        user = Account(
            id=user_id or self.new_id(),
            username=username,
            global_name=username.title(),
            takes_direct_messages=takes_direct_messages,
        )
        self.users[user.id] = user
        return user

    def add_bot(self, username: str, *, token: str | None = None, user_id: int | None = None) -> BotLogin:
        account = Account(id=user_id or self.new_id(), username=username, bot=True)
        self.users[account.id] = account
        login = BotLogin(token=token or f"sandbox.{secrets.token_urlsafe(32)}", user_id=account.id)
        self.bots.append(login)
        return login

    def add_guild(self, name: str, *, owner_id: int, guild_id: int | None = None) -> GuildRow:
        """A guild with its owner in it; the role @everyone bears the guild's id."""
        guild = GuildRow(id=guild_id or self.new_id(), name=name, owner_id=owner_id)
        guild.roles[guild.id] = RoleRow(id=guild.id, name="@everyone", position=0, permissions=EVERYBODY_MAY)
        self.guilds[guild.id] = guild
        self.join(guild, owner_id)
        return guild

    def add_role(
        self, guild: GuildRow, name: str, *, position: int, permissions: int = 0, role_id: int | None = None
    ) -> RoleRow:
        role = RoleRow(id=role_id or self.new_id(), name=name, position=position, permissions=int(permissions))
        guild.roles[role.id] = role
        return role

    def join(self, guild: GuildRow, user_id: int, *, roles: Iterable[int] = ()) -> Membership:
        member = Membership(user_id=user_id, roles=list(roles))
        guild.members[user_id] = member
        return member

    def invite_bot(self, guild: GuildRow, bot_id: int, *, position: int, permissions: int) -> RoleRow:
        """The bot joins with a role of its own, as an invitation with permissions makes one."""
        role = self.add_role(guild, self.users[bot_id].username, position=position, permissions=permissions)
        role.managed_by = bot_id
        self.join(guild, bot_id, roles=[role.id])
        return role

    def add_channel(self, guild: GuildRow, name: str, *, channel_id: int | None = None) -> ChannelRow:
        channel = ChannelRow(id=channel_id or self.new_id(), guild_id=guild.id, name=name)
        self.channels[channel.id] = channel
        return channel

    def save(self, path: Path) -> None:
        """Replace the file at once, so that a reader sees the old state or the new; it holds tokens, so 0600."""
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=1))
        draft.replace(path)

    @classmethod
    def load(cls, path: Path) -> "World":
        return cls.model_validate_json(path.read_text(encoding="utf-8"))
