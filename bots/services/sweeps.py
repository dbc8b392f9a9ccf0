"""What time brings about: bans that end, cases a crash left pending. Any number of workers may run these at once."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import DomainError, Unavailable
from bots.discord.rest import DiscordClient, DiscordError, JsonCode
from bots.models import Bot, ModerationCase
from bots.services import discord_access
from bots.services.sanctions import target_locked
from bots.services.settling import end, finish
from security import audit

logger = logging.getLogger(__name__)
Action = ModerationCase.Action
Status = ModerationCase.Status

BATCH = 200
# After a refusal the next attempt comes later and later, up to six hours: somebody has to fix the bot's role first.
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=6)


def end_due_sanctions() -> int:
    """End each sanction whose time has come, exactly once; returns how many this call ended."""
    now = timezone.now()
    due = ModerationCase.objects.filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        status=Status.APPLIED,
        expires_at__lte=now,
        bot__status=Bot.Status.ACTIVE,
    ).order_by("expires_at")
    return sum(_end_if_still_due(case) for case in due.select_related("guild__bot")[:BATCH])


def finish_interrupted() -> int:
    """Settle each pending case that nobody is at work on; returns how many this call settled."""
    pending = ModerationCase.objects.filter(status=Status.PENDING, bot__status=Bot.Status.ACTIVE).order_by("created_at")
    return sum(_finish_if_still_pending(case) for case in pending.select_related("guild__bot")[:BATCH])


def _end_if_still_due(case: ModerationCase) -> bool:
    try:
        with target_locked(case.guild, case.user_id, wait_seconds=0):
            case.refresh_from_db(fields=["status", "expires_at", "next_attempt_at", "attempts", "open_key"])
            now = timezone.now()
            if case.status != Status.APPLIED or case.expires_at is None or case.expires_at > now:
                return False
            if case.next_attempt_at is not None and case.next_attempt_at > now:
                return False  # Somebody else was refused since this sweep made its list.
            try:
                # Discord ends a timeout by itself at the time it was given.
                if case.action == Action.TEMPBAN:
                    _lift(discord_access.client_for(case.guild.bot), case)
            except DomainError as error:
                _postpone(case, error)
                return False
            with transaction.atomic():
                end(case, "expire")
                audit.record(f"mod.{case.action}.expired", caller=None, target=f"case:{case.pk}")
            return True
    except Unavailable:
        return False  # Somebody else is at work on this member, and will see the same case.


def _lift(client: DiscordClient, case: ModerationCase) -> None:
    try:
        client.unban(case.guild.discord_id, case.user_id, reason=f"Case {case.number}: the ban's time is over")
    except DiscordError as error:
        if error.discord_code != JsonCode.UNKNOWN_BAN:
            raise


def _postpone(case: ModerationCase, error: DomainError) -> None:
    delay = min(LONGEST_DELAY, FIRST_DELAY * (1 << min(case.attempts, 10)))
    case.attempts = min(case.attempts + 1, 1_000)
    case.next_attempt_at = timezone.now() + delay
    case.failure, case.failure_code = f"The ban could not be lifted yet. {error.message}"[:300], error.code[:60]
    case.save(update_fields=["attempts", "next_attempt_at", "failure", "failure_code"])
    logger.warning("Case %s of guild %s could not be ended: %s", case.number, case.guild_id, error.message)


def _finish_if_still_pending(case: ModerationCase) -> bool:
    try:
        with target_locked(case.guild, case.user_id, wait_seconds=0):
            case.refresh_from_db()
            if case.status != Status.PENDING:
                return False
            finish(discord_access.client_for(case.guild.bot), case)
            return True
    except DomainError as error:
        logger.info("Case %s of guild %s stays pending: %s", case.number, case.guild_id, error.message)
        return False
