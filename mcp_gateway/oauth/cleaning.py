"""What our sign-in forgets, and how long after it ended: codes, tokens, and clients nobody ever let in."""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from mcp_gateway.models import AccessToken, Application, Grant, RefreshToken
from mcp_gateway.oauth.validator import ABSOLUTE, IDLE

# A used code stays that long, so that using it again ends what came of it.
CODES_STAY = timedelta(days=1)
UNUSED_CLIENTS_STAY = timedelta(days=30)


def forget_codes() -> int:
    """Delete codes that ended a day ago; gives how many."""
    return Grant.objects.filter(expires__lte=timezone.now() - CODES_STAY).delete()[0]


def forget_tokens() -> int:
    """Delete tokens that no longer do anything, not even give a replay away; gives how many.

    A rotated refresh token stays as long as its family could live idle: shown again, it ends the family. Sealed
    successors go when their grace is over.
    """
    now = timezone.now()
    RefreshToken.objects.filter(successor_until__lte=now).update(successor=None, successor_until=None)
    ended = RefreshToken.objects.filter(revoked__lte=now - IDLE)
    idle = RefreshToken.objects.filter(revoked__isnull=True, created__lte=now - IDLE)
    old = RefreshToken.objects.filter(family_began_at__lte=now - ABSOLUTE)
    forgotten = sum(rows.delete()[0] for rows in (ended, idle, old))
    alone = ~Exists(RefreshToken.objects.filter(access_token=OuterRef("pk")))
    return forgotten + AccessToken.objects.filter(alone, expires__lte=now).delete()[0]


def forget_unused_clients() -> int:
    """Delete clients that came by themselves and that nobody is connected to any more; gives how many.

    One that somebody let in goes 30 days after its last connection ended, the others 30 days after they came.
    """
    came_by_themselves = [Application.RegistrationSource.DCR, Application.RegistrationSource.CIMD]
    alive = RefreshToken.objects.filter(application=OuterRef("pk"))
    return Application.objects.filter(
        ~Exists(alive), registration_source__in=came_by_themselves, created__lte=timezone.now() - UNUSED_CLIENTS_STAY
    ).delete()[0]
