"""When tokens are to be refreshed, and how long to wait after a refresh that did not work.

All of it in seconds from now; what "now" is, the database's clock says when the seconds are written down.
"""

import random
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

# A token is refreshed this long before its expiry: the larger of the two, and yet no earlier than half-way, so that one
# which lives for minutes is not asked for all the time.
MARGIN_SECONDS = 300.0
MARGIN_SHARE = 0.2
HALF_WAY = 0.5
# Tokens given out together are not refreshed together: up to so much of the time until then is taken off.
JITTER_SHARE = 0.1
# Where the provider does not say how long a token lives. Once a day keeps the refresh token from ageing; if the token
# lives for less, the first call that is refused finds out.
UNSTATED_SECONDS = 86_400.0

FIRST_PAUSE_SECONDS = 2.5
LONGEST_PAUSE_SECONDS = 3_600.0
# Nobody is asked to be left alone for longer and means it.
LONGEST_RETRY_AFTER_SECONDS = 86_400.0


def until_due(lifetime: float | None) -> float:
    """Seconds from the answer until its access token, which lives for `lifetime` seconds, is to be refreshed."""
    lives = UNSTATED_SECONDS if lifetime is None else lifetime
    margin = min(max(MARGIN_SECONDS, MARGIN_SHARE * lives), HALF_WAY * lives)
    return (lives - margin) * (1 - random.uniform(0, JITTER_SHARE))  # noqa: S311 - spreads load


def pause(attempts: int, retry_after: float | None = None) -> float:
    """Seconds until the next attempt after `attempts` that failed: full jitter, and never before the provider says.

    The first pauses are short, so that a token which was spent, and whose successor was lost on the way, is shown again
    while a provider that has a grace still takes it.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    longest = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(attempts, 20))
    jitter = random.uniform(0, longest)  # noqa: S311
    if retry_after is None:
        return jitter
    return min(retry_after, LONGEST_RETRY_AFTER_SECONDS) + min(jitter, JITTER_SHARE * retry_after)


def schedule(expires_in: float | None, *, refreshable: bool) -> dict[str, Any]:
    """The columns that follow from how long a token lives, for an insert or an update, by the database's clock.

    What cannot be refreshed is looked at when it expires, to say so.
    """
    expires_at = None if expires_in is None else in_seconds(expires_in)
    return {
        "expires_at": expires_at,
        "refresh_due_at": in_seconds(until_due(expires_in)) if refreshable else expires_at,
    }


def in_seconds(seconds: float) -> Any:
    """So long from now, by the database's clock."""
    return Now() + timedelta(seconds=seconds)
