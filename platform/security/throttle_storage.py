"""The counters of attempts in PostgreSQL, as the library `limits` asks for them."""

from django.db import DatabaseError, connection
from django.utils import timezone
from limits.storage import Storage

from security.models import ThrottleCounter

# The plan: one row by the primary key; concurrent attempts queue on its lock, so each sees its own count.
COUNT = """
    INSERT INTO security_throttlecounter AS counter (key, count, expires_at)
    VALUES (%(key)s, %(amount)s, clock_timestamp() + make_interval(secs => %(seconds)s))
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN counter.expires_at <= clock_timestamp() THEN 0 ELSE counter.count END + excluded.count,
        expires_at = CASE WHEN counter.expires_at <= clock_timestamp() THEN excluded.expires_at
                          ELSE counter.expires_at END
    RETURNING count
"""


class PostgresStorage(Storage):
    STORAGE_SCHEME = ["asterism+postgres"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return DatabaseError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        with connection.cursor() as cursor:
            cursor.execute(COUNT, {"key": key, "amount": amount, "seconds": expiry})
            count: int = cursor.fetchone()[0]
        if count == amount:
            self._sweep()
        return count

    def get(self, key: str) -> int:
        counter = ThrottleCounter.objects.filter(key=key, expires_at__gt=timezone.now()).first()
        return counter.count if counter else 0

    def get_expiry(self, key: str) -> float:
        counter = ThrottleCounter.objects.filter(key=key).first()
        return counter.expires_at.timestamp() if counter else timezone.now().timestamp()

    def check(self) -> bool:
        return connection.is_usable()

    def reset(self) -> int | None:
        return ThrottleCounter.objects.all().delete()[0]

    def clear(self, key: str) -> None:
        ThrottleCounter.objects.filter(key=key).delete()

    def _sweep(self) -> None:
        """Take away a few counters whose window is over, whenever a new window opens."""
        over = ThrottleCounter.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at")
        locked = over.select_for_update(skip_locked=True).values("pk")[:20]
        ThrottleCounter.objects.filter(pk__in=locked).delete()
