"""The audit of reads, written in batches: one statement for many calls instead of one for each.

What is in memory when a process is killed is lost: at most the last second of reads. Writes never come through here;
their entry is in their own transaction. A normal stop flushes.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from accounts.services import keys
from mcp_gateway.offload import in_domain
from security import audit
from security.models import AuditEntry

FLUSH_SECONDS = 1.0
BATCH = 500
# When something happened, and what makes the entry of it.
Waiting = tuple[datetime, Callable[[], AuditEntry]]
# Beyond this many entries a call waits for the writing: the audit is not thinned out under load.
MOST_WAITING = 5_000

logger = logging.getLogger(__name__)


def _store(waiting: list[Waiting]) -> None:
    entries = []
    for at, make in waiting:
        entry = make()
        entry.at = at
        entries.append(entry)
    audit.store(entries)


class Trail:
    """Entries and used keys waiting to be written. Without a running `write_batches`, each is written at once."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._used_keys: set[int] = set()
        self._running = False
        self._enough = asyncio.Event()
        self._writing = asyncio.Lock()

    async def add(self, entry: Callable[[], AuditEntry]) -> None:
        """Keep what makes an entry, to be made when it is written: that is no work of the call's. Its time is now."""
        self._waiting.append((timezone.now(), entry))
        if not self._running or len(self._waiting) >= MOST_WAITING:
            await self.flush()
        elif len(self._waiting) >= BATCH:
            self._enough.set()

    def used(self, key_id: int) -> None:
        """Remember that a key was used, for its `last_used_at`."""
        self._used_keys.add(key_id)

    async def flush(self) -> None:
        """Write all that waits. What could not be written waits on, up to a limit; then the oldest go."""
        async with self._writing:
            entries, self._waiting = self._waiting, []
            used, self._used_keys = self._used_keys, set()
            try:
                if entries:
                    await in_domain(_store, entries, calls_out=True)
                if used:
                    await in_domain(keys.touch, *used, calls_out=True)
            except Exception:  # the entries are kept and written later
                lost = max(len(entries) + len(self._waiting) - MOST_WAITING, 0)
                logger.exception(
                    "The audit could not be written; %d entries wait, %d are lost.", len(entries) - lost, lost
                )
                self._waiting = entries[lost:] + self._waiting

    async def write_batches(self) -> None:
        """Write what waits every second, or sooner when it is much; for ever. Cancelled, it writes the rest."""
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
