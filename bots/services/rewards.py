"""Roles that redeemed codes give: put on at Discord, and taken off again when their time is over.

A grant is claimed with a lease, under its row's lock, so that any number of workers may run these at once.
Both acts may be repeated with the same effect, so a worker that dies leaves nothing worse than a second attempt.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import DomainError
from bots.discord.rest import DiscordError, JsonCode
from bots.models import Bot, RewardGrant
from bots.services import discord_access

logger = logging.getLogger(__name__)
Status = RewardGrant.Status

MOST_IN_A_RUN = 100
LEASE = timedelta(minutes=2)
MOST_ATTEMPTS = 10
# The role or the member is gone: there is nothing to take back.
GONE = {JsonCode.UNKNOWN_MEMBER, JsonCode.UNKNOWN_ROLE, JsonCode.UNKNOWN_USER, JsonCode.UNKNOWN_GUILD}


def give_pending_roles() -> int:
    """Put on the roles that are owed; returns how many this call gave."""
    _give_up_the_interrupted()
    return sum(map(_give, _claimed(Q(status=Status.PENDING, attempts__lt=MOST_ATTEMPTS))))


def take_back_due_roles() -> int:
    """Take off the roles whose time is over; returns how many this call took."""
    return sum(map(_take_back, _claimed(Q(status=Status.GIVEN, remove_at__lte=timezone.now()))))


def _claimed(wanted: Q) -> Iterator[RewardGrant]:
    """Grants that are this worker's, each claimed when its turn comes: a lease is longer than any one act."""
    for _ in range(MOST_IN_A_RUN):
        grant = _claim(wanted)
        if grant is None:
            return
        yield grant


def _claim(wanted: Q) -> RewardGrant | None:
    now = timezone.now()
    free = Q(lease_until=None) | Q(lease_until__lte=now)
    active = Q(redemption__guild__bot__status=Bot.Status.ACTIVE)
    rows = RewardGrant.objects.filter(wanted, free, active).select_related("reward", "redemption__guild__bot")
    with transaction.atomic():
        grant = rows.order_by("id").select_for_update(skip_locked=True, of=("self",)).first()
        if grant is not None:
            grant.lease_until, grant.attempts = now + LEASE, grant.attempts + 1
            grant.save(update_fields=["lease_until", "attempts"])
    return grant


def _give_up_the_interrupted() -> None:
    """Fail what no worker ever lived to settle, at the last attempt either."""
    over = RewardGrant.objects.filter(
        status=Status.PENDING, attempts__gte=MOST_ATTEMPTS, lease_until__lte=timezone.now()
    )
    over.update(status=Status.FAILED, failure="Every attempt was interrupted.", lease_until=None)


def _give(grant: RewardGrant) -> bool:
    try:
        _role(grant, add=True)
    except DiscordError as error:
        return _failed(grant, error, final=error.discord_code in GONE)
    except DomainError as error:
        return _failed(grant, error, final=False)
    now = timezone.now()
    seconds = grant.reward.duration_seconds
    return _settle(
        grant,
        status=Status.GIVEN,
        given_at=now,
        remove_at=now + timedelta(seconds=seconds) if seconds else None,
        failure="",
        attempts=0,
        lease_until=None,
    )


def _take_back(grant: RewardGrant) -> bool:
    try:
        _role(grant, add=False)
    except DiscordError as error:
        if error.discord_code not in GONE:
            return _failed(grant, error, final=False)
    except DomainError as error:
        return _failed(grant, error, final=False)
    return _settle(grant, status=Status.ENDED, ended_at=timezone.now(), failure="", lease_until=None)


def _role(grant: RewardGrant, *, add: bool) -> None:
    guild, role_id = grant.redemption.guild, grant.reward.role_id
    if role_id is None:
        raise ValueError(f"The grant {grant.pk} is of no role.")
    client = discord_access.client_for(guild.bot)
    change = client.add_role if add else client.remove_role
    change(guild.discord_id, grant.redemption.user_id, role_id, reason=f"Gift code, redemption {grant.redemption_id}")


def _failed(grant: RewardGrant, error: DomainError, *, final: bool) -> bool:
    """Note what went wrong; the lease that stays is the pause before the next attempt."""
    logger.warning("The role of grant %s could not be changed: %s", grant.pk, error.message)
    changes: dict[str, object] = {
        "failure": error.message[:300],
        "lease_until": timezone.now() + _pause(grant.attempts),
    }
    if final or (grant.status == Status.PENDING and grant.attempts >= MOST_ATTEMPTS):
        changes |= {"status": Status.FAILED, "lease_until": None}
    _settle(grant, **changes)
    return False


def _pause(attempts: int) -> timedelta:
    return min(timedelta(hours=6), timedelta(minutes=1 << min(attempts, 10)))


def _settle(grant: RewardGrant, **changes: datetime | str | int | object | None) -> bool:
    """Write the outcome, unless another worker took the grant over when the lease ran out."""
    mine = RewardGrant.objects.filter(pk=grant.pk, status=grant.status, lease_until=grant.lease_until)
    return bool(mine.update(**changes))
