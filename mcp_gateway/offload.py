"""The one bridge from the event loop to the synchronous domain: two pools of threads with a connection each."""

import asyncio
import contextvars
import select
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")

# A connection used less than this long ago is taken to be alive, unless the database has hung up; asking it each time
# would cost a round trip a call.
TRUSTED_FOR_SECONDS = 1.0


class Pool:
    """Threads that keep a database connection each, checked when it was idle and dropped when it broke."""

    def __init__(self, threads: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._used_at: dict[BaseDatabaseWrapper, float] = {}

    async def run(self, call: Callable[[], T]) -> T:
        context = contextvars.copy_context()
        return await asyncio.get_running_loop().run_in_executor(self._executor, context.run, self._bracketed, call)

    def _bracketed(self, call: Callable[[], T]) -> T:
        connection = connections[DEFAULT_DB_ALIAS]
        if time.monotonic() - self._used_at.get(connection, 0.0) > TRUSTED_FOR_SECONDS or _has_hung_up(connection):
            connection.close_if_unusable_or_obsolete()
        try:
            return call()
        finally:
            if connection.errors_occurred:
                connection.close_if_unusable_or_obsolete()
            self._used_at[connection] = time.monotonic()

    def close(self) -> None:
        """Wait for what runs, then close the threads' connections."""
        self._executor.shutdown()
        for connection in self._used_at:
            connection.inc_thread_sharing()
            connection.close()


def _has_hung_up(connection: BaseDatabaseWrapper) -> bool:
    """Whether something came from the database that nobody asked for, as when it ends; it is not asked."""
    wire = connection.connection
    if wire is None or wire.closed:
        return False
    waiting = select.poll()
    waiting.register(wire.fileno(), select.POLLIN)
    return bool(waiting.poll(0))


_pools: dict[bool, Pool] = {}


def _pool(calls_out: bool) -> Pool:
    if calls_out not in _pools:
        _pools[calls_out] = (
            Pool(settings.WIDE_THREADS, "domain-wide") if calls_out else Pool(settings.QUICK_THREADS, "domain-quick")
        )
    return _pools[calls_out]


def close() -> None:
    """Close both pools. What comes later opens new ones."""
    while _pools:
        _pools.popitem()[1].close()


async def in_domain(function: Callable[..., T], *arguments: object, calls_out: bool = False) -> T:
    """What `function` returns, run in a thread of the quick pool, or of the wide one if it `calls_out`.

    With QUICK_THREADS at 0 it runs in the thread and transaction of the code that called the event loop: how tests that
    live in one transaction see what the platform sees.
    """
    call = partial(function, *arguments)
    if settings.QUICK_THREADS == 0:
        return await sync_to_async(call)()
    return await _pool(calls_out).run(call)
