"""How a case ends up: applied, failed, or still pending because Discord did not answer; and how an applied one ends.

Called under the member's lock and outside of any transaction, as `sanctions` says.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.errors import DomainError, Unavailable
from bots.discord.rest import DiscordClient, DiscordError, DiscordUnavailable
from bots.models import Guild, GuildMembership, ModerationCase
from bots.services import discord_effects
from security import audit

Action = ModerationCase.Action
Status = ModerationCase.Status

# A sanction that a crash interrupted is still carried out this long after it was asked for, and given up afterwards.
STILL_WANTED = timedelta(minutes=15)

# The sanctions that go on until something ends them, and those that end them. Of a family one holds at a time.
LASTING = {Action.BAN: "ban", Action.TEMPBAN: "ban", Action.MUTE: "mute"}
LIFTING = {Action.UNBAN: "ban", Action.UNMUTE: "mute"}


def apply(client: DiscordClient, case: ModerationCase) -> ModerationCase:
    """Ask Discord and settle the case. Where Discord did not answer it stays pending, and that is raised."""
    case.attempts += 1
    case.save(update_fields=["attempts"])
    try:
        discord_effects.bring_about(client, case)
    except DiscordError as error:
        settle_failed(case, code=str(error.discord_code or error.status), message=error.message)
        error.data["caseId"] = str(case.pk)
        raise
    return settle_applied(case)


def after_silence(client: DiscordClient, case: ModerationCase, unavailable: DiscordUnavailable) -> ModerationCase:
    """Fail a new case that Discord never got; look once where its answer was lost, and leave the rest to the sweep."""
    if not unavailable.outcome_unknown:
        settle_failed(case, code=unavailable.code, message=unavailable.message)
        raise unavailable
    try:
        if discord_effects.shows(client, case):
            return settle_applied(case)
    except DomainError:
        pass
    raise Unavailable(
        f"Discord did not answer, so whether case {case.number} was carried out is not known yet. It is settled within "
        "a minute or two; look at it with mod.listCases. Sending the same call again does no harm.",
        code="outcome_unknown",
        data={"caseId": str(case.pk), "retry_after": 60},
    ) from unavailable


def finish(client: DiscordClient, case: ModerationCase) -> ModerationCase:
    """Settle a pending case: as applied where Discord shows the effect, else by trying again or failing."""
    if discord_effects.shows(client, case):
        return settle_applied(case)
    if case.created_at < timezone.now() - STILL_WANTED:
        return settle_failed(
            case, code="interrupted", message="It was interrupted before Discord was asked. Ask for it again."
        )
    try:
        return apply(client, case)
    except DiscordUnavailable:
        raise
    except DomainError:  # The refusal stands in the case by now.
        return case


def settle_applied(case: ModerationCase) -> ModerationCase:
    """The case as applied, with what it ends or replaces ended in the same transaction."""
    now = timezone.now()
    with transaction.atomic():
        family = LASTING.get(Action(case.action)) or LIFTING.get(Action(case.action))
        if family is not None:
            event = "supersede" if case.action in LASTING else "revoke"
            for holding in cases_of(case.guild, case.user_id).filter(
                open_key=open_key(case.guild, case.user_id, family)
            ):
                end(holding, event)
        case.status = ModerationCase.LIFECYCLE.after(case.status, "apply")
        case.applied_at = now
        case.open_key = open_key(case.guild, case.user_id, family) if family and case.action in LASTING else None
        if case.duration_seconds is not None:
            case.expires_at = now + timedelta(seconds=case.duration_seconds)
        case.save()
        if case.action in {Action.KICK, Action.BAN, Action.TEMPBAN}:
            members = GuildMembership.objects.filter(guild_id=case.guild_id, user_id=case.user_id, left_at=None)
            members.filter(joined_at__lte=now).update(left_at=now)
        audit.record(f"mod.{case.action}.applied", caller=None, target=f"case:{case.pk}")
    return case


def settle_failed(case: ModerationCase, *, code: str, message: str) -> ModerationCase:
    """The case as failed. It holds neither the member nor its idempotency key any longer: nothing was done."""
    with transaction.atomic():
        case.status = ModerationCase.LIFECYCLE.after(case.status, "fail")
        case.failure, case.failure_code = message[:300], code[:60]
        case.open_key, case.idempotency_key = None, ""
        case.ended_at = timezone.now()
        case.save()
        audit.record(
            f"mod.{case.action}.failed",
            caller=None,
            outcome=audit.Outcome.REFUSED,
            error_code=case.failure_code,
            target=f"case:{case.pk}",
        )
    return case


def end(case: ModerationCase, event: str) -> None:
    """End an applied case: it expires, is revoked or superseded."""
    case.status = ModerationCase.LIFECYCLE.after(case.status, event)
    case.ended_at = timezone.now()
    case.open_key = case.next_attempt_at = None
    case.save(update_fields=["status", "ended_at", "open_key", "next_attempt_at"])


def cases_of(guild: Guild, user_id: int) -> QuerySet[ModerationCase]:
    """The member's cases in the guild, newest first."""
    return ModerationCase.objects.filter(guild=guild, user_id=user_id).select_related("guild__bot").order_by("-id")


def open_key(guild: Guild, user_id: int, state: str) -> str:
    """What is unique among open cases: one pending, one ban and one mute of a member in a guild."""
    return f"{guild.pk}:{user_id}:{state}"
