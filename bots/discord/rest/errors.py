"""What Discord answers when it refuses, in words that say what to do, and what is raised when it does not answer.

https://discord.com/developers/docs/topics/opcodes-and-status-codes#json
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from accounts.errors import DomainError, Unavailable


class JsonCode(IntEnum):
    """The codes in Discord's error bodies that the platform tells apart. 0 is Discord's "general error"."""

    GENERAL = 0
    UNKNOWN_CHANNEL = 10003
    UNKNOWN_GUILD = 10004
    UNKNOWN_MEMBER = 10007
    UNKNOWN_MESSAGE = 10008
    UNKNOWN_ROLE = 10011
    UNKNOWN_USER = 10013
    UNKNOWN_BAN = 10026
    SERVER_NOT_AVAILABLE = 30031
    TOO_MANY_BANS_OF_NON_MEMBERS = 30035
    UNAUTHORIZED = 40001
    VERIFY_ACCOUNT = 40002
    OPENING_DMS_TOO_FAST = 40003
    SEND_MESSAGES_DISABLED = 40004
    USER_BANNED = 40007
    CLOUDFLARE = 40333
    MISSING_ACCESS = 50001
    CANNOT_EDIT_OTHERS_MESSAGE = 50005
    EMPTY_MESSAGE = 50006
    CANNOT_MESSAGE_USER = 50007
    MISSING_PERMISSIONS = 50013
    INVALID_TOKEN = 50014
    INVALID_RECIPIENT = 50033
    INVALID_FORM_BODY = 50035
    NO_MUTUAL_GUILDS = 50278
    TWO_FACTOR_REQUIRED = 60003
    OVERLOADED = 130000


_REPLACE_IT = "The bot's token is not accepted. Reset it in Discord's developer portal and store the new one."
_ADVICE: Mapping[int, str] = {
    JsonCode.UNKNOWN_CHANNEL: "The channel is gone, or the bot cannot see it. Check the channel's id.",
    JsonCode.UNKNOWN_GUILD: "Check the guild's id; if it is right, the guild was deleted.",
    JsonCode.UNKNOWN_MEMBER: "The user is not in this guild (any more). A user who left can still be banned.",
    JsonCode.UNKNOWN_MESSAGE: "The message was deleted already.",
    JsonCode.UNKNOWN_ROLE: "The role was deleted; choose another one.",
    JsonCode.UNKNOWN_USER: "No Discord account has this id. Copy it again in Discord, with developer mode on.",
    JsonCode.UNKNOWN_BAN: "The user is not banned here, so there is no ban to lift.",
    JsonCode.SERVER_NOT_AVAILABLE: "Discord has taken this guild out of service for the moment. Try again later.",
    JsonCode.TOO_MANY_BANS_OF_NON_MEMBERS: "Too many bans of people outside the guild. Try again in a day.",
    JsonCode.UNAUTHORIZED: _REPLACE_IT,
    JsonCode.VERIFY_ACCOUNT: "The account that owns the bot has to be verified at Discord first.",
    JsonCode.OPENING_DMS_TOO_FAST: "The bot opened too many direct messages at once. Wait ten minutes.",
    JsonCode.SEND_MESSAGES_DISABLED: "Discord has switched off sending messages for the moment. Try again later.",
    JsonCode.USER_BANNED: "The user is banned from this guild. Lift the ban first.",
    JsonCode.CLOUDFLARE: "Discord's edge blocks this server's requests. Wait an hour, and check that no other "
    "program at this address keeps failing.",
    JsonCode.MISSING_ACCESS: "The bot is not in this guild or cannot see the channel. Invite it or let it in.",
    JsonCode.CANNOT_EDIT_OTHERS_MESSAGE: "Only the author of a message can edit it.",
    JsonCode.EMPTY_MESSAGE: "The message has no text. Write at least one visible character.",
    JsonCode.CANNOT_MESSAGE_USER: "The user takes no direct messages from this bot. Reach them in a channel instead.",
    JsonCode.MISSING_PERMISSIONS: "Give the bot's role the permission for this, and drag it above the roles it acts on "
    "(server settings, Roles).",
    JsonCode.INVALID_TOKEN: _REPLACE_IT,
    JsonCode.INVALID_RECIPIENT: "This user cannot be written to: bots cannot write to other bots or to themselves.",
    JsonCode.INVALID_FORM_BODY: "Discord does not accept one of the values.",
    JsonCode.NO_MUTUAL_GUILDS: "The bot shares no guild with this user any more, so it cannot write to them.",
    JsonCode.TWO_FACTOR_REQUIRED: "This guild asks moderators for two-factor sign-in: the bot's owner has to switch it "
    "on at Discord.",
    JsonCode.OVERLOADED: "Discord is overloaded. Try again in a few minutes.",
}
_ADVICE_BY_STATUS: Mapping[int, str] = {
    401: _REPLACE_IT,
    403: "The bot is not allowed to do this. Check its roles in the server settings.",
    404: "It does not exist at Discord, or the bot cannot see it.",
}
# Refusals that are about whom the bot writes to and say nothing about the bot's own standing.
_ABOUT_THE_RECIPIENT = {JsonCode.CANNOT_MESSAGE_USER, JsonCode.INVALID_RECIPIENT, JsonCode.NO_MUTUAL_GUILDS}


class DiscordError(DomainError):
    """Discord answered and refused.

    `status` is the HTTP status, `discord_code` the code in the body (see `JsonCode`), `advice` what to do about it;
    `data` carries the same for programs.
    """

    code = "discord_refused"

    def __init__(self, *, status: int, discord_code: int, reason: str, fields: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.discord_code = discord_code
        self.reason = reason
        self.fields = dict(fields or {})
        self.advice = _ADVICE.get(discord_code) or _ADVICE_BY_STATUS.get(status) or "Discord gives no further reason."
        details = "".join(f" {name}: {complaint}" for name, complaint in self.fields.items())
        code = f"code {discord_code}" if discord_code else f"status {status}"
        super().__init__(
            f"Discord refused: {reason.rstrip('.')} ({code}).{details} {self.advice}",
            data={"status": status, "discordCode": discord_code, "advice": self.advice}
            | ({"fields": self.fields} if self.fields else {}),
        )

    @property
    def token_rejected(self) -> bool:
        return self.status == 401

    @property
    def concerns_the_bot(self) -> bool:
        """Whether the bot's token or standing is the reason, so that its owner should be told."""
        return self.status in {401, 403} and self.discord_code not in _ABOUT_THE_RECIPIENT


class DiscordUnavailable(Unavailable):
    """Discord did not answer in a way that settles the matter.

    `outcome_unknown` says whether the request may have been carried out all the same: then nothing is known until a
    read (the ban, the member, the audit log) tells.
    """

    code = "discord_unavailable"

    def __init__(self, message: str, *, outcome_unknown: bool, retry_after: float | None = None) -> None:
        self.outcome_unknown = outcome_unknown
        data: dict[str, Any] = {"outcomeUnknown": outcome_unknown}
        if retry_after is not None:
            data["retry_after"] = retry_after
        super().__init__(message, data=data)


class DiscordRateLimited(DiscordUnavailable):
    """The pace Discord allows is used up for longer than the caller would wait; nothing was done."""

    code = "discord_rate_limited"

    def __init__(self, *, retry_after: float) -> None:
        self.retry_after = retry_after
        seconds = max(1, round(retry_after))
        super().__init__(
            f"Discord's rate limit for this is used up. Try again in {seconds} s.",
            outcome_unknown=False,
            retry_after=retry_after,
        )
