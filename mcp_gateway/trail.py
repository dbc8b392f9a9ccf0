"""The audit of reads, written in batches: one statement for many calls instead of one for each.

Writes never come through here; their entry is in their own transaction.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from accounts.services import keys
from mcp_gateway.batches import Batches
from mcp_gateway.offload import in_domain
from security import audit
from security.models import AuditEntry

# When something happened, and what makes the entry of it.
Waiting = tuple[datetime, Callable[[], AuditEntry]]


class Entries(Protocol):
    """Where the entry of a call goes."""

    async def add(self, entry: Callable[[], AuditEntry]) -> None:
        """Take what makes an entry; its time is now."""


class AtOnce:
    """Writes each entry as it comes: for calls that no endpoint with a trail of its own answers."""

    async def add(self, entry: Callable[[], AuditEntry]) -> None:
        await _store([(timezone.now(), entry)])


class Trail:
    """Entries and used keys waiting to be written."""

    def __init__(self) -> None:
        self._entries = Batches("The audit", _store)
        self._used_keys = Batches("The last use of keys", _touch)

    async def add(self, entry: Callable[[], AuditEntry]) -> None:
        """Keep what makes an entry, to be made when it is written: that is no work of the call's. Its time is now."""
        await self._entries.add((timezone.now(), entry))

    def used(self, key_id: int) -> None:
        """Remember that a key was used, for its `last_used_at`."""
        self._used_keys.put(key_id)

    async def write_batches(self) -> None:
        """Write what waits every second; for ever. Cancelled, it writes the rest."""
        async with asyncio.TaskGroup() as writing:
            writing.create_task(self._entries.write())
            writing.create_task(self._used_keys.write())


async def _store(waiting: list[Waiting]) -> None:
    await in_domain(_made_and_stored, waiting, calls_out=True)


def _made_and_stored(waiting: list[Waiting]) -> None:
    entries = []
    for at, make in waiting:
        entry = make()
        entry.at = at
        entries.append(entry)
    audit.store(entries)


async def _touch(key_ids: list[int]) -> None:
    await in_domain(keys.touch, *set(key_ids), calls_out=True)
