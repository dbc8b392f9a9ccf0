"""The pace Discord allows, kept by all processes together: a place is claimed before a request and given back after it.

What Discord says about its limits comes in here from the headers of each answer; where it is kept and how a place is
claimed by exactly one of many stands in `bots.models.rate_limits`.

https://discord.com/developers/docs/topics/rate-limits
"""

import hashlib
import random
import time
from collections.abc import Mapping
from typing import Any

from bots.discord.rest.errors import DiscordRateLimited
from bots.discord.rest.routes import Route
from bots.models.rate_limits import Place, RateLimitBucket, Report, WindowReport

# While another request is on its way, nothing says how long; look again this soon.
_LOOK_AGAIN_SECONDS = 0.05
# What a 429 without a readable Retry-After is taken to mean; Discord's edge sends such when it is annoyed.
_RETRY_AFTER_UNSAID = 5.0


class Pace:
    """One bot's pace. A token's limits are its own, whichever process uses it."""

    def __init__(self, token: str) -> None:
        self._token_hash = hashlib.sha256(token.encode()).hexdigest()

    def claim(self, where: Route, *, until: float) -> Place:
        """A place for one request, waited for to the monotonic time `until`, then `DiscordRateLimited`."""
        while True:
            claimed = RateLimitBucket.objects.claim(self._token_hash, where.name, where.major)
            if isinstance(claimed, Place):
                return claimed
            wait = claimed if claimed is not None else _LOOK_AGAIN_SECONDS
            # Waiting ones do not all come back at the same instant.
            wait += random.uniform(0, 0.02)  # noqa: S311
            if time.monotonic() + wait > until:
                raise DiscordRateLimited(retry_after=wait)
            time.sleep(wait)

    def give_back(self, place: Place, report: Report | None, *, sent: bool) -> None:
        """Free the place with what the answer said; `sent` where there was none, but Discord may have the request."""
        RateLimitBucket.objects.give_back(place, report, lost=sent and (report is None or report.window is None))


def read_report(status: int, headers: Mapping[str, str], body: Any) -> Report:
    """What an answer says about the limits."""
    window = _window(headers)
    if status != 429:
        return Report(window)
    said = body if isinstance(body, dict) else {}
    # A 429 that is not JSON comes from Discord's edge and speaks of the whole address.
    everywhere = not said or said.get("global") is True or headers.get("X-RateLimit-Scope") == "global"
    retry_after = _number(said.get("retry_after")) or _number(headers.get("Retry-After")) or _RETRY_AFTER_UNSAID
    return Report(window, retry_after, everywhere)


def _window(headers: Mapping[str, str]) -> WindowReport | None:
    limit, remaining = _number(headers.get("X-RateLimit-Limit")), _number(headers.get("X-RateLimit-Remaining"))
    reset, reset_after = _number(headers.get("X-RateLimit-Reset")), _number(headers.get("X-RateLimit-Reset-After"))
    bucket = headers.get("X-RateLimit-Bucket")
    if bucket is None or limit is None or remaining is None or reset is None or reset_after is None:
        return None
    return WindowReport(bucket[:100], int(limit), int(remaining), reset, reset_after)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 1e11 else None
