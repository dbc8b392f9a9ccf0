"""A bot in numbers."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.scopes import Scope
from accounts.services import plans
from bots.models import Bot, CommandInvocation, Guild
from bots.services.bots import find_bot

WINDOWS = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}


@dataclass(frozen=True, slots=True)
class Runs:
    """Commands that were run in a window that ends now, and those of them that failed."""

    commands: int
    errors: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`runs` is by window: "24h", "7d", "30d"."""

    bot: Bot
    guilds: list[Guild]
    runs: dict[str, Runs]
    plan_code: str
    plan_name: str


def get_bot_summary(caller: Caller, *, bot_id: int) -> Summary:
    """How the bot is doing: guilds, commands, errors, its owner's plan and its status."""
    caller.require(Scope.READ)
    bot = find_bot(caller, bot_id)
    plan = plans.plan_of(caller.user_id)
    return Summary(
        bot=bot,
        guilds=list(Guild.objects.filter(bot=bot).joined().order_by("name", "id")),
        runs=_runs(bot),
        plan_code=plan.code,
        plan_name=plan.name,
    )


def _runs(bot: Bot) -> dict[str, Runs]:
    """All windows in one pass over the widest: an index-only scan of invocation_by_bot."""
    now = timezone.now()
    counts: dict[str, Count] = {}
    for name, window in WINDOWS.items():
        within = Q(at__gt=now - window)
        counts[f"commands_{name}"] = Count("pk", filter=within)
        counts[f"errors_{name}"] = Count("pk", filter=within & Q(succeeded=False))
    widest = CommandInvocation.objects.filter(bot=bot, at__gt=now - max(WINDOWS.values()), at__lte=now)
    found = widest.aggregate(**counts)
    return {name: Runs(found[f"commands_{name}"], found[f"errors_{name}"]) for name in WINDOWS}
