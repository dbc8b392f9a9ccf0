"""The sandbox's rate limits: windows per bucket as Discord counts them, and 50 requests in any second per token."""

import math
import time
from collections import deque
from dataclasses import dataclass, field

from bots.discord.sandbox.endpoints import Endpoint

GLOBAL_LIMIT = 50
GLOBAL_SECONDS = 1.0


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headers of the answer, and how many seconds to stay away where the request is over the limit."""

    headers: dict[str, str]
    retry_after: float | None = None
    everywhere: bool = False


@dataclass(slots=True)
class Limits:
    """What every token used. Discord restarts with empty counters too, so nothing of this is kept in the file."""

    _windows: dict[tuple[str, str, int], _Window] = field(default_factory=dict)
    _sent: dict[str, deque[float]] = field(default_factory=dict)

    def count(self, token: str, endpoint: Endpoint, major: int) -> Verdict:
        """Count one request of `token`, or refuse it."""
        now = time.time()
        sent = self._sent.setdefault(token, deque())
        while sent and sent[0] <= now - GLOBAL_SECONDS:
            sent.popleft()
        if len(sent) >= GLOBAL_LIMIT:
            return too_many(sent[0] + GLOBAL_SECONDS - now, scope="global")
        sent.append(now)
        key = (token, endpoint.bucket, major)
        window = self._windows.get(key)
        if window is None or window.ends <= now:
            window = self._windows[key] = _Window(now + endpoint.seconds)
        window.used += 1
        headers = {
            "X-RateLimit-Bucket": f"sandbox-{endpoint.bucket}",
            "X-RateLimit-Limit": str(endpoint.limit),
            "X-RateLimit-Remaining": str(max(0, endpoint.limit - window.used)),
            "X-RateLimit-Reset": f"{window.ends:.3f}",
            "X-RateLimit-Reset-After": f"{_up(window.ends - now):.3f}",
        }
        if window.used > endpoint.limit:
            verdict = too_many(window.ends - now, scope="user")
            return Verdict(headers | verdict.headers, verdict.retry_after)
        return Verdict(headers)


def too_many(seconds: float, *, scope: str) -> Verdict:
    """A 429 of this scope: `user` (this bot's own bucket), `shared` (everybody's) or `global`."""
    headers = {"Retry-After": str(max(1, math.ceil(seconds))), "X-RateLimit-Scope": scope}
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    return Verdict(headers, _up(seconds), everywhere=scope == "global")


def _up(seconds: float) -> float:
    """To the millisecond, never down: waiting what is said has to be enough."""
    return math.ceil(max(seconds, 0) * 1000) / 1000
