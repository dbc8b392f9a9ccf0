"""What the bots bring to the shell: their panel on the home page and their places in the jump list."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User
from accounts.page_caller import caller
from bots.models import Bot
from bots.pages.frame import BOT_MEANINGS, TABS, TICKET_MEANINGS
from bots.pages.numbers import bot_lines, open_tickets
from dashboard.jump import Place, matches

BOTS_SEARCHED = 200
TICKETS_SHOWN = 6


def panel(request: HttpRequest) -> Mapping[str, Any]:
    who = caller(request)
    lines = bot_lines(who)
    return {
        "lines": lines,
        "meanings": BOT_MEANINGS,
        "has_sandbox": any(line.bot.sandbox for line in lines),
        "open_tickets": sum(line.open_tickets for line in lines),
        "commands_today": sum(line.commands_today for line in lines),
        "guilds": sum(line.guilds for line in lines),
        "tickets": open_tickets(who, limit=TICKETS_SHOWN),
        "ticket_meanings": TICKET_MEANINGS,
    }


def places(person: User, words: str) -> Iterable[Place]:
    """The person's bots; once something is typed, the sections of each as well."""
    for bot in Bot.objects.filter(owner=person).order_by("name", "id")[:BOTS_SEARCHED]:
        if matches(bot.name, words):
            yield Place(bot.name, reverse("bots:bot", args=[bot.pk]), bot.get_status_display())
        for url_name, section in TABS[1:] if words else ():
            if matches(label := f"{bot.name}: {section}", words):
                yield Place(label, reverse(url_name, args=[bot.pk]))
