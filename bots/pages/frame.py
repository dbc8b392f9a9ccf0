"""What all pages of one bot share: the bot, its tabs, and how a Discord id or a choice is read from an address."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bots.discord import snowflake
from bots.discord.snowflake import Snowflake
from bots.models import Bot, Guild, ModerationCase, Ticket
from dashboard.sorting import Direction

# Lists of what happened begin with the newest, and can be turned round.
BY_TIME: dict[str, Direction] = {"created": "desc"}

TABS = (
    ("bots:bot", "Overview"),
    ("bots:tickets", "Tickets"),
    ("bots:cases", "Cases"),
    ("bots:gift-codes", "Gift codes"),
    ("bots:activity", "Activity"),
    ("bots:return", "Return"),
)

BOT_MEANINGS = {Bot.Status.ACTIVE: "ok", Bot.Status.UNAUTHORIZED: "error"}
TICKET_MEANINGS = {Ticket.Status.OPEN: "info", Ticket.Status.CLAIMED: "ok", Ticket.Status.PENDING: "warn"}
CASE_MEANINGS = {
    ModerationCase.Status.PENDING: "warn",
    ModerationCase.Status.APPLIED: "ok",
    ModerationCase.Status.FAILED: "error",
}


def bot_page(
    request: HttpRequest, template: str, bot: Bot, context: Mapping[str, Any], *, tab: str, status: int = 200
) -> HttpResponse:
    """A page in the frame of `bot`, with `tab` (a URL name) as the current one."""
    frame = {"bot": bot, "tabs": TABS, "tab": tab, "bot_meaning": BOT_MEANINGS.get(Bot.Status(bot.status), "")}
    return render(request, template, {**frame, **context}, status=status)


def guilds_of(bot: Bot) -> list[Guild]:
    """Where the bot is now, by name."""
    return list(Guild.objects.filter(bot=bot).joined())


def chosen_guild(request: HttpRequest, guilds: list[Guild]) -> Guild | None:
    """The guild that `?guild=` names, of those given."""
    wanted = request.GET.get("guild", "")
    return next((guild for guild in guilds if str(guild.discord_id) == wanted), None)


def chosen_snowflake(request: HttpRequest, name: str) -> Snowflake | None:
    """The Discord id that `?name=` holds; what is none counts as nothing."""
    try:
        return snowflake.parse(request.GET.get(name, "").strip())
    except ValueError:
        return None


def chosen(request: HttpRequest, name: str, choices: Mapping[str, str]) -> str | None:
    """The value of `?name=` where it is one of the choices."""
    wanted = request.GET.get(name, "")
    return wanted if wanted in choices else None
