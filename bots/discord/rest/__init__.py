"""The one way to Discord's HTTP API, version 10: `DiscordClient`, its errors, the pace all processes keep."""

from bots.discord.rest.client import DiscordClient
from bots.discord.rest.errors import DiscordError, DiscordRateLimited, DiscordUnavailable, JsonCode

__all__ = [
    "DiscordClient",
    "DiscordError",
    "DiscordRateLimited",
    "DiscordUnavailable",
    "JsonCode",
]
