"""Which API key a request shows: verified once, remembered for seconds, forgotten in every process when revoked."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from django.utils import timezone

from accounts.key_format import read_key
from accounts.services import keys
from accounts.services.keys import VerifiedKey
from mcp_gateway.hot import connection_parameters
from mcp_gateway.offload import in_domain

CHANNEL = "api_key_revoked"
# The first wait after losing the listening connection, doubled each time up to the longest.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 10.0
# Keys remembered at once; reached only by a flood of valid keys, and then all are forgotten.
MOST_KEYS = 10_000
# A peer that vanished without a word is noticed within about 15 seconds; what is remembered lives shorter than that.
KEEPALIVES = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    key: VerifiedKey
    lookup: str
    until: float


class KeyRing:
    """Verified keys by their text, for seconds, and only while revocations are heard of."""

    def __init__(self, remember_seconds: float) -> None:
        self._remember_seconds = remember_seconds
        self._remembered: dict[str, Remembered] = {}
        self._hears = asyncio.Event()
        # Counts revocations, so that a key read just before one is not remembered just after it.
        self._revocations = 0

    async def verify(self, text: str) -> VerifiedKey | None:
        """The key's row if it may be used now; None for one that is malformed, unknown, expired, revoked or somebody's
        who was deactivated."""
        known = self._remembered.get(text)
        if known is not None and known.until > time.monotonic():
            expired = known.key.expires_at is not None and known.key.expires_at <= timezone.now()
            return None if expired else known.key
        shown = read_key(text)
        if shown is None:
            return None
        revocations = self._revocations
        key = await in_domain(keys.verify, text)
        if key is not None and self._hears.is_set() and revocations == self._revocations:
            if len(self._remembered) >= MOST_KEYS:
                self._remembered.clear()
            until = time.monotonic() + self._remember_seconds
            self._remembered[text] = Remembered(key, shown.lookup, until)
        return key

    def remembers(self, text: str) -> bool:
        """Whether the key would be let in without asking the database."""
        known = self._remembered.get(text)
        return known is not None and known.until > time.monotonic()

    def forget(self, payload: str) -> None:
        """Drop what a notification names: a key by its lookup part, or `user:<id>` for all of a person's."""
        self._revocations += 1
        kind, _, user_id = payload.partition(":")
        for text, known in list(self._remembered.items()):
            if known.lookup == payload or (kind == "user" and str(known.key.user_id) == user_id):
                del self._remembered[text]

    async def heard(self) -> None:
        """Wait until revocations reach this process."""
        await self._hears.wait()

    async def listen(self, connected: Callable[[psycopg.AsyncConnection[Any]], None] | None = None) -> None:
        """Hear of revocations for ever, coming back after every loss. While deaf, nothing is remembered."""
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                parameters = await asyncio.to_thread(connection_parameters)
                async with await psycopg.AsyncConnection.connect(
                    **{**parameters, **KEEPALIVES, "application_name": "asterism-keys"}, autocommit=True
                ) as connection:
                    await connection.execute(f"LISTEN {CHANNEL}")
                    self._hears.set()
                    wait = FIRST_WAIT_SECONDS
                    if connected:
                        connected(connection)
                    async for notification in connection.notifies():
                        self.forget(notification.payload)
            except psycopg.Error as error:
                logger.warning("Revoked keys are not heard of; every key is verified each time. %s", error)
            finally:
                self._hears.clear()
                self._remembered.clear()
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)
