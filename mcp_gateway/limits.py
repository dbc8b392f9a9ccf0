"""How many requests an address may make in a minute: counted over all processes in Redis, else in memory."""

import logging
import time
from collections import OrderedDict, deque
from typing import Protocol

import redis.asyncio
from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

WINDOW_SECONDS = 60.0
# How long Redis is waited for before memory counts.
REDIS_SECONDS = 1.0
# What a flood of addresses may take of this process's memory; the ones quiet the longest are forgotten first.
MOST_ADDRESSES = 20_000

logger = logging.getLogger(__name__)


class RequestLimit(Protocol):
    per_minute: int

    async def hit(self, address: str) -> float | None:
        """Count a request. None if it may pass, else the seconds until one may; what is refused does not count."""

    async def close(self) -> None:
        """Let go of connections."""


class NoLimit:
    per_minute = 0

    async def hit(self, address: str) -> float | None:
        return None

    async def close(self) -> None:
        pass


class MemoryLimit:
    """A moving window in memory: exact, for one process.

    The library's own asynchronous memory storage goes to a thread on the way; this is a deque an address.
    """

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._passed: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._passed)

    async def hit(self, address: str) -> float | None:
        now = time.monotonic()
        passed = self._passed.setdefault(address, deque())
        self._passed.move_to_end(address)
        while passed and passed[0] <= now - WINDOW_SECONDS:
            passed.popleft()
        if len(passed) >= self.per_minute:
            return passed[0] + WINDOW_SECONDS - now
        passed.append(now)
        if len(self._passed) > MOST_ADDRESSES:
            self._passed.popitem(last=False)
        return None

    async def close(self) -> None:
        pass


class RedisLimit:
    """A moving window in Redis, moved by one script: exact over every process. While Redis is away, memory counts."""

    def __init__(self, per_minute: int, url: str, name: str) -> None:
        self.per_minute = per_minute
        self._item = RateLimitItemPerMinute(per_minute, namespace=f"mcp-{name}")
        self._client = redis.asyncio.Redis.from_url(
            url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        pool = self._client.connection_pool  # ours, so that it can be closed; the type says options are plain values
        storage = RedisStorage(f"async+{url}", implementation="redispy", connection_pool=pool)  # type: ignore[arg-type]
        self._window = MovingWindowRateLimiter(storage)
        self._meanwhile = MemoryLimit(per_minute)

    async def hit(self, address: str) -> float | None:
        try:
            if await self._window.hit(self._item, address):
                return None
            opens_at, _ = await self._window.get_window_stats(self._item, address)
        except (RedisError, OSError) as error:
            logger.error("Redis does not answer; requests are counted in each process by itself: %s", error)
            return await self._meanwhile.hit(address)
        return max(opens_at - time.time(), 0.001)

    async def close(self) -> None:
        await self._client.connection_pool.disconnect()


def request_limit(per_minute: int, redis_url: str, name: str) -> RequestLimit:
    """The limit these settings ask for, counted under its own name; 0 requests a minute stands for no limit."""
    if per_minute == 0:
        return NoLimit()
    return RedisLimit(per_minute, redis_url, name) if redis_url else MemoryLimit(per_minute)
