"""Locks that PostgreSQL keeps for whoever is at work on one thing, held across requests to Discord.

A session's advisory lock belongs to the connection, not to a transaction: nothing stays open while Discord thinks, and
a process that dies gives its locks back at once, with no lease to run out. It needs a connection of its own from end to
end, so a pooler in front of PostgreSQL has to pool sessions, not transactions.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from accounts.errors import Unavailable

POLL_SECONDS = 0.05


def lock_number(name: str) -> int:
    """The 64-bit number under which PostgreSQL knows the lock called `name`."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)


@contextmanager
def held(name: str, *, wait_seconds: float) -> Iterator[None]:
    """Hold the lock within the block; raises `Unavailable` when somebody else keeps it for longer than the wait.

    It is asked for again and again rather than waited for, because a waiting statement is an open transaction.
    """
    number = lock_number(name)
    until = time.monotonic() + wait_seconds
    while not _took(number):
        if time.monotonic() >= until:
            raise Unavailable(
                "Another call is at work on this at the moment. Try again in a few seconds.",
                code="busy",
                data={"retry_after": 5},
            )
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        _release(number)


def _took(number: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _release(number: int) -> None:
    # A broken connection has given the lock back already; asking it again would only hide the error that broke it.
    if connection.connection is not None and not connection.connection.closed and connection.is_usable():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])
