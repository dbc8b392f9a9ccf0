"""How often something may be tried: counted over every process, in Redis where there is one, else in PostgreSQL.

A fixed window that opens with the first attempt. It needs one counter a key, and its count is exact however many
processes count at once; that up to twice the number can fall around the seam of two windows does not matter for
guessing passwords, which is what it is for.
"""

import hashlib
import logging
import math
import time
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from security.throttle_storage import PostgresStorage

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `attempts` of `name` for one key in `seconds`."""

    name: str
    attempts: int
    seconds: int

    def hit(self, key: str) -> int:
        """Count an attempt. 0 if it may go on, else the seconds until one may."""
        return _counted(storage(), self._item, _digest(key))

    def forget(self, key: str) -> None:
        """Start anew for this key, as after a success."""
        try:
            FixedWindowRateLimiter(storage()).clear(self._item, _digest(key))
        except StorageError as error:
            logger.error("The counter of %s goes on, for its storage does not answer: %s", self.name, error)

    @property
    def _item(self) -> RateLimitItemPerSecond:
        return RateLimitItemPerSecond(self.attempts, self.seconds, namespace=f"throttle:{self.name}")


def storage() -> Storage:
    """Where attempts are counted by the settings."""
    return _storage(settings.REDIS_URL)


@lru_cache(maxsize=4)
def _storage(redis_url: str) -> Storage:
    if not redis_url:
        return PostgresStorage(wrap_exceptions=True)
    return RedisStorage(redis_url, key_prefix="asterism", wrap_exceptions=True, socket_timeout=1.0)


def _counted(where: Storage, item: RateLimitItemPerSecond, key: str) -> int:
    limiter = FixedWindowRateLimiter(where)
    try:
        if limiter.hit(item, key):
            return 0
        return max(1, math.ceil(limiter.get_window_stats(item, key).reset_time - time.time()))
    except StorageError as error:
        if isinstance(where, PostgresStorage):
            raise
        logger.error("Redis does not answer; attempts are counted in PostgreSQL meanwhile: %s", error)
        return _counted(_storage(""), item, key)


def _digest(key: str) -> str:
    """Addresses and names are counted, not collected."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
