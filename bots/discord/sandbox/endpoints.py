"""The table of the sandbox's endpoints, with the limit of each."""

from collections.abc import Callable
from dataclasses import dataclass

from bots.discord.sandbox import channels, guilds
from bots.discord.sandbox.calls import Answer, Call


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route and its limit: `limit` requests in `seconds`, counted in `bucket` with the path's guild or channel."""

    method: str
    template: str
    bucket: str
    limit: int
    seconds: float
    answer: Callable[[Call], Answer]


# Discord publishes no table of its limits; these are of the size that its answers have shown.
ENDPOINTS = (
    Endpoint("GET", "/users/@me", "own-user", 30, 5, guilds.own_user),
    Endpoint("GET", "/users/@me/guilds", "own-guilds", 10, 1, guilds.own_guilds),
    Endpoint("POST", "/users/@me/channels", "open-dm", 10, 10, channels.open_direct),
    Endpoint("GET", "/users/{user}", "user", 30, 30, guilds.get_user),
    Endpoint("GET", "/guilds/{guild}", "guild", 10, 5, guilds.get_guild),
    Endpoint("GET", "/guilds/{guild}/roles", "guild-roles", 10, 5, guilds.get_roles),
    Endpoint("GET", "/guilds/{guild}/audit-logs", "audit-log", 10, 5, guilds.get_audit_log),
    Endpoint("GET", "/guilds/{guild}/members/{user}", "member", 10, 2, guilds.get_member),
    Endpoint("PATCH", "/guilds/{guild}/members/{user}", "member-edit", 10, 10, guilds.edit_member),
    Endpoint("DELETE", "/guilds/{guild}/members/{user}", "member-kick", 5, 1, guilds.kick),
    Endpoint("GET", "/guilds/{guild}/bans/{user}", "ban-read", 10, 2, guilds.get_ban),
    # Banning and lifting a ban count together.
    Endpoint("PUT", "/guilds/{guild}/bans/{user}", "ban", 10, 2, guilds.ban),
    Endpoint("DELETE", "/guilds/{guild}/bans/{user}", "ban", 10, 2, guilds.unban),
    Endpoint("PUT", "/guilds/{guild}/members/{user}/roles/{role}", "member-role", 10, 10, guilds.add_role),
    Endpoint("DELETE", "/guilds/{guild}/members/{user}/roles/{role}", "member-role", 10, 10, guilds.remove_role),
    Endpoint("GET", "/channels/{channel}", "channel", 10, 2, channels.get),
    Endpoint("PATCH", "/channels/{channel}", "channel-edit", 5, 5, channels.edit),
    Endpoint("DELETE", "/channels/{channel}", "channel-delete", 5, 5, channels.delete),
    Endpoint("POST", "/channels/{channel}/messages", "message", 5, 5, channels.send_message),
)
