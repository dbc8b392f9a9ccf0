"""How long to wait after an attempt that failed: eight attempts, spread over about a day."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# Seconds after the first failure, the second, and so on. Together 21 hours.
PAUSES = (10.0, 60.0, 300.0, 1_800.0, 7_200.0, 21_600.0, 43_200.0)
MOST_ATTEMPTS = len(PAUSES) + 1
# Up to so much of a pause is added, so that what failed together does not come back together.
JITTER_SHARE = 0.2
# Nobody is left alone for longer.
LONGEST_RETRY_AFTER = 86_400.0


def pause(attempts: int, retry_after: float | None = None) -> float | None:
    """Seconds until the next attempt after so many that failed, never before the receiver says; None after the last."""
    if attempts > len(PAUSES):
        return None
    seconds = PAUSES[attempts - 1] * (1 + random.uniform(0, JITTER_SHARE))  # noqa: S311 - spreads load
    return max(seconds, min(retry_after or 0.0, LONGEST_RETRY_AFTER))


def seconds_of(header: str) -> float | None:
    """What a Retry-After header says (RFC 9110, 10.2.3), in seconds from now; None where it says nothing."""
    header = header.strip()
    if header.isascii() and header.isdigit():
        return float(header[:9])
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
