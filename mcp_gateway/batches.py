"""Things written to the database in batches: one statement for many, on time, and none thinned out under load.

What is in memory when a process is killed is lost: at most the last second. A normal stop writes all of it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

FLUSH_SECONDS = 1.0
BATCH = 500
# Beyond this many, whoever adds one waits for the writing.
MOST_WAITING = 5_000

T = TypeVar("T")

logger = logging.getLogger(__name__)


class Batches(Generic[T]):
    """Things waiting for `store`. Without a running `write`, each is stored at once."""

    def __init__(self, what: str, store: Callable[[list[T]], Awaitable[None]]) -> None:
        self._what, self._store = what, store
        self._waiting: list[T] = []
        self._running = False
        self._enough = asyncio.Event()
        self._writing = asyncio.Lock()

    def put(self, thing: T) -> None:
        """Leave it to the next batch, which is never begun for its sake."""
        self._waiting.append(thing)

    async def add(self, thing: T) -> None:
        self._waiting.append(thing)
        if not self._running or len(self._waiting) >= MOST_WAITING:
            await self.flush()
        elif len(self._waiting) >= BATCH:
            self._enough.set()

    async def flush(self) -> None:
        """Store all that waits. What could not be stored waits on, up to a limit; then the oldest go."""
        async with self._writing:
            things, self._waiting = self._waiting, []
            if not things:
                return
            try:
                await self._store(things)
            except Exception:  # the things are kept and stored later
                lost = max(len(things) + len(self._waiting) - MOST_WAITING, 0)
                logger.exception(
                    "%s could not be written; %d entries wait, %d are lost.", self._what, len(things) - lost, lost
                )
                self._waiting = things[lost:] + self._waiting

    async def write(self) -> None:
        """Store what waits every second, or sooner when it is much; for ever. Cancelled, it stores the rest."""
        self._running = True
        try:
            while True:
                try:
                    async with asyncio.timeout(FLUSH_SECONDS):
                        await self._enough.wait()
                except TimeoutError:
                    pass
                self._enough.clear()
                await self.flush()
        finally:
            self._running = False
            await self.flush()
