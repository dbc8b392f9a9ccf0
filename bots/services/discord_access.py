"""Reaching Discord as a bot: which Discord it is, and what is remembered when it refuses the bot."""

from functools import partial

from django.conf import settings
from django.utils import timezone

from accounts.errors import Conflict
from bots.discord.rest import DiscordClient, DiscordError
from bots.models import Bot


def client_for(bot: Bot) -> DiscordClient:
    """Discord as `bot` sees it. Raises `Conflict` for a bot that cannot act, with what to do about it."""
    if bot.status == Bot.Status.DISABLED:
        raise Conflict(f"The bot {bot.name} is switched off. Switch it on first.", code="bot_disabled")
    if bot.status == Bot.Status.UNAUTHORIZED:
        raise Conflict(
            f"Discord refuses the token of {bot.name}. Reset it in Discord's developer portal and store the new one "
            f"with `manage.py bot check {bot.pk} --new-token`.",
            code="bot_unauthorized",
        )
    return DiscordClient(bot.token, on_refusal=partial(record_refusal, bot.pk), base_url=_base_url(sandbox=bot.sandbox))


def open_client(token: str, *, sandbox: bool) -> DiscordClient:
    """Discord as whoever holds `token` sees it; refusals are remembered nowhere."""
    return DiscordClient(token, base_url=_base_url(sandbox=sandbox))


def record_refusal(bot_id: int, error: DiscordError) -> None:
    """Keep on the bot what Discord held against it, for its owner to see."""
    changes: dict[str, object] = {"last_error": error.message[:300], "last_error_at": timezone.now()}
    if error.token_rejected:
        changes["status"] = Bot.Status.UNAUTHORIZED
    Bot.objects.filter(pk=bot_id).exclude(status=Bot.Status.DISABLED).update(**changes)


def _base_url(*, sandbox: bool) -> str:
    return settings.DISCORD_SANDBOX_URL if sandbox else settings.DISCORD_API_URL
