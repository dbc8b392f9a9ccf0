"""The verbs of Discord's REST API that the platform uses, one method each; how they travel is in `transport`.

Every method may raise `DiscordError` (Discord refused), `DiscordRateLimited` (nothing was done) and
`DiscordUnavailable` (whose `outcome_unknown` says whether it may have been done all the same). None may be called
inside a database transaction: a request takes as long as Discord takes.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from pydantic import TypeAdapter, ValidationError

from bots.discord import snowflake
from bots.discord.objects import AuditLogEntry, Ban, Channel, Guild, GuildOfBot, Member, Message, Role, User
from bots.discord.rest.errors import DiscordError, DiscordUnavailable, JsonCode
from bots.discord.rest.routes import Route, route
from bots.discord.rest.transport import Transport

T = TypeVar("T")


class DiscordClient:
    """Discord as one bot sees it.

    `token` is the bot's token in clear. `patience` is how many seconds one call may spend waiting for rate limits and
    between attempts before it gives up. `on_refusal` is told of each answer 401 and 403 that says something about the
    bot (its token is dead, it was removed, it lacks a permission), before the error is raised.
    """

    def __init__(
        self,
        token: str,
        *,
        patience: float = 10.0,
        on_refusal: Callable[[DiscordError], None] | None = None,
        base_url: str | None = None,
    ) -> None:
        self._transport = Transport(token, base_url=base_url or settings.DISCORD_API_URL, patience=patience)
        self._on_refusal = on_refusal

    # Reading

    def current_user(self) -> User:
        """The bot's own account; the cheapest way to learn whether its token works."""
        return self._read(route("GET", "/users/@me"), User)

    def guilds(self) -> list[GuildOfBot]:
        """The guilds the bot is in: up to 200, which is all that a page of Discord's holds."""
        return self._read(route("GET", "/users/@me/guilds"), list[GuildOfBot])

    def guild(self, guild_id: int) -> Guild:
        """The guild with its roles and the approximate number of members."""
        return self._read(route("GET", "/guilds/{guild}", guild=guild_id), Guild, query={"with_counts": "true"})

    def roles(self, guild_id: int) -> list[Role]:
        return self._read(route("GET", "/guilds/{guild}/roles", guild=guild_id), list[Role])

    def member(self, guild_id: int, user_id: int) -> Member:
        return self._read(_member("GET", guild_id, user_id), Member)

    def find_member(self, guild_id: int, user_id: int) -> Member | None:
        """The membership, or None for somebody who is not in the guild or does not exist."""
        return _found(lambda: self.member(guild_id, user_id), JsonCode.UNKNOWN_MEMBER, JsonCode.UNKNOWN_USER)

    def user(self, user_id: int) -> User:
        return self._read(route("GET", "/users/{user}", user=user_id), User)

    def find_ban(self, guild_id: int, user_id: int) -> Ban | None:
        """The ban, or None for somebody who is not banned."""
        return _found(
            lambda: self._read(_ban("GET", guild_id, user_id), Ban), JsonCode.UNKNOWN_BAN, JsonCode.UNKNOWN_USER
        )

    def audit_log(
        self, guild_id: int, *, action_type: int | None = None, acted_by: int | None = None, limit: int = 50
    ) -> list[AuditLogEntry]:
        """The newest lines of the guild's audit log, newest first; `limit` is 1 to 100."""
        query = {"limit": str(limit)}
        if action_type is not None:
            query["action_type"] = str(action_type)
        if acted_by is not None:
            query["user_id"] = snowflake.text(acted_by)
        found = self._read(route("GET", "/guilds/{guild}/audit-logs", guild=guild_id), dict[str, Any], query=query)
        return _parsed(found.get("audit_log_entries"), list[AuditLogEntry])

    def channel(self, channel_id: int) -> Channel:
        return self._read(_channel("GET", channel_id), Channel)

    # Moderation. `reason` is what the guild's own audit log shows, cut at 512 characters.

    def kick(self, guild_id: int, user_id: int, *, reason: str) -> None:
        """Remove the member; they may come back with an invitation."""
        self._write(_member("DELETE", guild_id, user_id), reason=reason, done_if=JsonCode.UNKNOWN_MEMBER)

    def ban(self, guild_id: int, user_id: int, *, reason: str, delete_message_seconds: int = 0) -> None:
        """Ban the user, member or not, and delete what they wrote in the last `delete_message_seconds` (to 604,800)."""
        self._write(
            _ban("PUT", guild_id, user_id), body={"delete_message_seconds": delete_message_seconds}, reason=reason
        )

    def unban(self, guild_id: int, user_id: int, *, reason: str) -> None:
        self._write(_ban("DELETE", guild_id, user_id), reason=reason, done_if=JsonCode.UNKNOWN_BAN)

    def time_out(self, guild_id: int, user_id: int, *, until: datetime | None, reason: str) -> Member:
        """Silence the member until then, at most 28 days from now; None lets them speak again."""
        body = {"communication_disabled_until": until.isoformat() if until else None}
        return _parsed(self._write(_member("PATCH", guild_id, user_id), body=body, reason=reason), Member)

    def add_role(self, guild_id: int, user_id: int, role_id: int, *, reason: str) -> None:
        self._write(_member_role("PUT", guild_id, user_id, role_id), reason=reason)

    def remove_role(self, guild_id: int, user_id: int, role_id: int, *, reason: str) -> None:
        self._write(_member_role("DELETE", guild_id, user_id, role_id), reason=reason)

    # Channels and messages

    def open_dm(self, user_id: int) -> Channel:
        """The direct-message channel with the user; opening it twice gives the same one and shows the user nothing."""
        body = {"recipient_id": snowflake.text(user_id)}
        return _parsed(self._write(route("POST", "/users/@me/channels"), body=body), Channel)

    def send_message(self, channel_id: int, content: str) -> Message:
        """Send `content` (to 2,000 characters) once, however often the connection breaks; it can ping nobody."""
        body = {
            "content": content,
            "allowed_mentions": {"parse": []},
            # Discord returns the first message instead of making a second one for a nonce it saw minutes ago.
            "nonce": secrets.token_hex(12),
            "enforce_nonce": True,
        }
        sent = self._write(route("POST", "/channels/{channel}/messages", channel=channel_id), body=body)
        return _parsed(sent, Message)

    def edit_channel(self, channel_id: int, changes: Mapping[str, Any], *, reason: str) -> Channel:
        """Change the channel's name, topic, parent or permission overwrites, in Discord's own field names."""
        return _parsed(self._write(_channel("PATCH", channel_id), body=changes, reason=reason), Channel)

    def delete_channel(self, channel_id: int, *, reason: str) -> None:
        self._write(_channel("DELETE", channel_id), reason=reason, done_if=JsonCode.UNKNOWN_CHANNEL)

    # How each of them goes out

    def _read(self, where: Route, shape: type[T], *, query: Mapping[str, str] | None = None) -> T:
        return _parsed(self._send(where, query=query), shape)

    def _write(
        self, where: Route, *, body: Mapping[str, Any] | None = None, reason: str = "", done_if: int | None = None
    ) -> Any:
        return self._send(where, body=body, reason=reason, done_if=done_if)

    def _send(
        self,
        where: Route,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        reason: str = "",
        done_if: int | None = None,
    ) -> Any:
        """Send the request and return the answer's JSON; every one of them can be sent twice with one effect.

        `done_if` is the refusal that a second attempt meets when the first one did its work and its answer was lost.
        """
        answer = self._transport.send(where, query=query, body=body, reason=reason)
        refusal = answer.refusal
        if refusal is None:
            return answer.body
        if refusal.discord_code == done_if and answer.earlier_attempt_lost:
            return None
        if refusal.concerns_the_bot and self._on_refusal is not None:
            self._on_refusal(refusal)
        raise refusal


def _found(read: Callable[[], T], *codes: int) -> T | None:
    """What `read` returns, or None where Discord says that there is no such thing."""
    try:
        return read()
    except DiscordError as error:
        if error.discord_code in codes:
            return None
        raise


def _parsed(body: Any, shape: type[T]) -> T:
    try:
        return TypeAdapter(shape).validate_python(body)
    except ValidationError as error:
        raise DiscordUnavailable(
            "Discord's answer could not be read; its API may have changed. Look for a newer version of this platform.",
            outcome_unknown=True,
        ) from error


def _member(method: str, guild_id: int, user_id: int) -> Route:
    return route(method, "/guilds/{guild}/members/{user}", guild=guild_id, user=user_id)


def _member_role(method: str, guild_id: int, user_id: int, role_id: int) -> Route:
    return route(method, "/guilds/{guild}/members/{user}/roles/{role}", guild=guild_id, user=user_id, role=role_id)


def _ban(method: str, guild_id: int, user_id: int) -> Route:
    return route(method, "/guilds/{guild}/bans/{user}", guild=guild_id, user=user_id)


def _channel(method: str, channel_id: int) -> Route:
    return route(method, "/channels/{channel}", channel=channel_id)
