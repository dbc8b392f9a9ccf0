"""A person's bots: finding them and their guilds, adding one, and asking Discord whether its token still works."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services import plans
from bots.discord.rest import DiscordError
from bots.models import Bot, Guild
from bots.services import discord_access
from security import audit


def find_bot(caller: Caller, bot_id: int) -> Bot:
    """The caller's bot, or `NotFound`."""
    bot = Bot.objects.for_caller(caller).filter(pk=bot_id).first()
    if bot is None:
        raise NotFound(
            f"You have no bot with the id {bot_id}. Your bots and their ids stand on the dashboard, and in the "
            "result of stats.getOwnSubscription.",
            code="bot_not_found",
        )
    return bot


def find_guild(bot: Bot, guild_id: int) -> Guild:
    """The guild with that Discord id that `bot` is or was in, or `NotFound`."""
    guild = Guild.objects.filter(bot=bot, discord_id=guild_id).first()
    if guild is None:
        raise NotFound(
            f"The bot {bot.name} is in no guild with the Discord id {guild_id}. stats.getBotSummary lists its guilds.",
            code="guild_not_found",
        )
    guild.bot = bot
    return guild


def add_bot(caller: Caller, *, token: str, sandbox: bool = False) -> Bot:
    """Store a bot whose token Discord accepts, with the guilds it is in. The token is not shown again."""
    caller.require(Scope.ADMIN)
    if not token.strip():
        raise Invalid("The token is empty. Copy it from Discord's developer portal, under Bot.")
    client = discord_access.open_client(token.strip(), sandbox=sandbox)
    account = client.current_user()
    guilds = client.guilds()
    now = timezone.now()
    try:
        with transaction.atomic():
            _hold_to_plan(caller, guilds=len(guilds))
            bot = Bot(
                owner_id=caller.user_id,
                name=account.username,
                application_id=account.id,
                token=token.strip(),
                sandbox=sandbox,
            )
            bot.save()
            Guild.objects.bulk_create(
                Guild(bot=bot, discord_id=guild.id, name=guild.name, joined_at=now) for guild in guilds
            )
            audit.record("bot.add", caller=caller, target=f"bot:{bot.pk}", detail={"application": str(account.id)})
    except IntegrityError:
        raise Conflict(
            f"The bot {account.username} is yours already. To store a new token, use `manage.py bot check`.",
            code="bot_exists",
        ) from None
    return bot


def check_bot(caller: Caller, *, bot_id: int, token: str | None = None) -> Bot:
    """Ask Discord whether the bot's token works, or whether the new `token` does, and record what it says."""
    caller.require(Scope.WRITE)
    bot = find_bot(caller, bot_id)
    client = discord_access.open_client(token or bot.token, sandbox=bot.sandbox)
    try:
        account = client.current_user()
    except DiscordError as error:
        if token is None:
            discord_access.record_refusal(bot.pk, error)
        raise
    if account.id != bot.application_id and token is not None:
        raise Invalid(f"This token is that of another bot, {account.username}. Add that one instead.")
    with transaction.atomic():
        bot.name, bot.status, bot.last_error, bot.last_error_at = account.username, Bot.Status.ACTIVE, "", None
        learned = ["name", "status", "last_error", "last_error_at"]
        if token is not None:
            bot.token = token
            learned.append("token")
        # What else the row holds may have changed while Discord was asked.
        bot.save(update_fields=learned)
        audit.record("bot.check", caller=caller, target=f"bot:{bot.pk}", detail={"newToken": token is not None})
    return bot


def _hold_to_plan(caller: Caller, *, guilds: int) -> None:
    """Raise `PlanLimit` if one more bot with so many guilds is more than the plan has; holds until the commit."""
    plans.plan_of(caller.user_id, lock=True)
    plans.require_room(caller.user_id, "max_bots", used=Bot.objects.for_caller(caller).count())
    joined = Guild.objects.for_caller(caller).joined().count()
    plans.require_room(caller.user_id, "max_guilds", used=joined, adding=guilds)
