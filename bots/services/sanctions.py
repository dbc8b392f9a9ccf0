"""Carrying out a sanction: what holds already, the case, Discord, and how it ended. One at a time for each member.

Everything here runs under the member's lock and outside of any transaction, because Discord takes as long as it takes.
The case is written as pending before Discord is asked; so a pending case found under the lock is what a crash left.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Unavailable
from accounts.models import User
from bots.discord import hierarchy
from bots.discord.hierarchy import Act
from bots.discord.objects import Member
from bots.discord.rest import DiscordClient, DiscordUnavailable
from bots.models import Guild, GuildMembership, ModerationCase, locks
from bots.services import discord_access, discord_effects
from bots.services.settling import LASTING, LIFTING, after_silence, apply, cases_of, end, finish, open_key
from security import audit

Action = ModerationCase.Action
Status = ModerationCase.Status

# How long a second call waits for the first one's answer: longer than the client's own patience with Discord.
WAIT_SECONDS = 20.0
ACTS = {
    Action.WARN: Act.WARN,
    Action.KICK: Act.KICK,
    Action.BAN: Act.BAN,
    Action.TEMPBAN: Act.BAN,
    Action.UNBAN: Act.UNBAN,
    Action.MUTE: Act.TIMEOUT,
    Action.UNMUTE: Act.TIMEOUT,
}


@dataclass(frozen=True, slots=True)
class Sanction:
    """What is asked for."""

    action: ModerationCase.Action
    user_id: int
    reason: str
    duration_seconds: int | None = None
    delete_message_seconds: int = 0
    idempotency_key: str = ""
    automatic: bool = False

    @property
    def fingerprint(self) -> str:
        """Tells whether two calls with one idempotency key ask for the same."""
        asked = {name: value for name, value in asdict(self).items() if name != "idempotency_key"}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


@contextmanager
def target_locked(guild: Guild, user_id: int, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Nobody else acts on this member in this guild within the block."""
    if connection.in_atomic_block:
        raise RuntimeError("A sanction was begun inside a transaction, which would stay open while Discord is asked.")
    with locks.held(f"sanction:{guild.pk}:{user_id}", wait_seconds=wait_seconds):
        yield


def carry_out(caller: Caller, guild: Guild, sanction: Sanction) -> ModerationCase:
    """The applied case: a new one, or the one that holds already. Raises what Discord or the rules refuse."""
    with target_locked(guild, sanction.user_id):
        client = discord_access.client_for(guild.bot)
        for interrupted in cases_of(guild, sanction.user_id).filter(status=Status.PENDING):
            finish(client, interrupted)
        if (earlier := _under_key(guild, sanction)) is not None:
            return earlier
        target = _member_to_act_on(client, guild, sanction)
        if isinstance(target, ModerationCase):
            return target
        case = _enter(caller, guild, sanction, target)
        try:
            return apply(client, case)
        except DiscordUnavailable as unavailable:
            return after_silence(client, case, unavailable)


def _under_key(guild: Guild, sanction: Sanction) -> ModerationCase | None:
    """The case that the same call made before."""
    if not sanction.idempotency_key:
        return None
    cases = ModerationCase.objects.filter(bot=guild.bot, idempotency_key=sanction.idempotency_key)
    earlier = cases.select_related("guild__bot").first()
    if earlier is not None and (earlier.fingerprint != sanction.fingerprint or earlier.guild_id != guild.pk):
        raise _key_taken(sanction)
    return earlier


def _is_taken(guild: Guild, sanction: Sanction) -> bool:
    key = sanction.idempotency_key
    return bool(key) and ModerationCase.objects.filter(bot=guild.bot, idempotency_key=key).exists()


def _key_taken(sanction: Sanction) -> Conflict:
    return Conflict(
        f"The idempotency key {sanction.idempotency_key!r} was used for another act. Use a new key for a new act, and "
        "the same arguments with the same key.",
        code="idempotency_key_reused",
    )


def _member_to_act_on(client: DiscordClient, guild: Guild, sanction: Sanction) -> Member | ModerationCase | None:
    """The target as Discord has it now, or the case whose sanction holds already. Raises where the act is refused."""
    bot_id = client.current_user().id
    at_discord = client.guild(guild.discord_id)
    bot = client.member(guild.discord_id, bot_id)
    target = client.find_member(guild.discord_id, sanction.user_id)
    refusal = hierarchy.refusal(
        ACTS[sanction.action], guild=at_discord, bot=bot, target_id=sanction.user_id, target=target
    )
    if refusal is not None and refusal.code != "target_not_a_member":
        raise Forbidden(refusal.message, code=refusal.code)
    if (holding := _holding(client, guild, sanction, target)) is not None:
        return holding
    if refusal is not None:
        raise Forbidden(refusal.message, code=refusal.code)
    return target


def _holding(client: DiscordClient, guild: Guild, sanction: Sanction, target: Member | None) -> ModerationCase | None:
    """The case whose effect is what is asked for. A case whose effect somebody undid at Discord is ended on the way."""
    cases = cases_of(guild, sanction.user_id)
    latest = cases.filter(action=sanction.action, status=Status.APPLIED).first()
    if sanction.action == Action.KICK:
        return latest if target is None else None
    family = LASTING.get(sanction.action) or LIFTING.get(sanction.action)
    if family is None:
        return None
    holds = discord_effects.is_banned(client, guild, sanction.user_id) if family == "ban" else _is_muted(target)
    open_case = cases.filter(open_key=open_key(guild, sanction.user_id, family)).first()
    if open_case is not None and not holds:
        _revoked_at_discord(open_case)
        open_case = None
    if sanction.action in LIFTING:
        return None if holds else _nothing_to_lift(sanction, latest)
    if open_case is None:
        return None
    if (open_case.action, open_case.duration_seconds) == (sanction.action, sanction.duration_seconds):
        return open_case
    if open_case.action == Action.BAN:
        raise Conflict(
            f"This user is banned for good (case {open_case.number}). To let the ban end, unban them first.",
            code="already_banned",
            data={"caseId": str(open_case.pk)},
        )
    return None


def _is_muted(target: Member | None) -> bool:
    until = target.communication_disabled_until if target else None
    return until is not None and until > timezone.now()


def _revoked_at_discord(case: ModerationCase) -> None:
    with transaction.atomic():
        end(case, "revoke")
        audit.record(f"mod.{case.action}.revoked", caller=None, target=f"case:{case.pk}", detail={"by": "Discord"})


def _nothing_to_lift(sanction: Sanction, latest: ModerationCase | None) -> ModerationCase:
    if latest is not None:
        return latest
    state = "banned" if sanction.action == Action.UNBAN else "muted"
    raise Conflict(f"This user is not {state} here, so there is nothing to lift.", code=f"not_{state}")


def _enter(caller: Caller, guild: Guild, sanction: Sanction, target: Member | None) -> ModerationCase:
    """The pending case with the guild's next number."""
    moderator = User.objects.get(pk=caller.user_id)
    known = GuildMembership.objects.filter(guild=guild, user_id=sanction.user_id).first()
    name = target.user.username if target else known.username if known else ""
    try:
        with transaction.atomic():
            Guild.objects.filter(pk=guild.pk).update(last_case_number=F("last_case_number") + 1)
            guild.refresh_from_db(fields=["last_case_number"])
            case = ModerationCase.objects.create(
                bot=guild.bot,
                guild=guild,
                number=guild.last_case_number,
                action=sanction.action,
                user_id=sanction.user_id,
                user_name=name[:32],
                reason=sanction.reason,
                moderator=moderator,
                moderator_name=moderator.get_full_name()[:150],
                automatic=sanction.automatic,
                duration_seconds=sanction.duration_seconds,
                delete_message_seconds=sanction.delete_message_seconds,
                created_at=timezone.now(),
                idempotency_key=sanction.idempotency_key,
                fingerprint=sanction.fingerprint,
                open_key=open_key(guild, sanction.user_id, "pending"),
            )
            audit.record(
                f"mod.{sanction.action}",
                caller=caller,
                target=f"case:{case.pk}",
                detail={"guild": str(guild.discord_id), "user": str(sanction.user_id), "reason": sanction.reason},
            )
    except IntegrityError:
        # The rules that the lock keeps, kept by the database: for one key used for two members at the same moment, and
        # for a lock that was lost with its connection.
        if _is_taken(guild, sanction):
            raise _key_taken(sanction) from None
        raise Unavailable("Another call is acting on this user. Try again in a few seconds.", code="busy") from None
    return case
