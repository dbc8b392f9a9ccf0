"""PostgreSQL's notices on the event loop: one listening connection, for any number of channels and listeners."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from django.db import connection
from psycopg import AsyncConnection, Error, sql

# So often the connection is asked whether it is still there: one that died in silence loses no notice for longer.
PROBE_SECONDS = 1.0
PROBE_TIMEOUT_SECONDS = 2.0
# The first wait after losing the connection, doubled each time up to the longest.
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0

Wake = Callable[[], None]

logger = logging.getLogger(__name__)


def notify(channel: str, payload: str) -> None:
    """Wake who subscribed to the payload, when the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, payload])


class Notices:
    """Wakes whoever subscribed to a payload of a channel. One is enough for all that a process listens to.

    A notice may be lost while the connection is: everybody is woken when it is back, and `hears` says when it is not.
    """

    def __init__(self, parameters: Callable[[], dict[str, Any]]) -> None:
        self._parameters = parameters
        self._wakes: dict[str, dict[str, set[Wake]]] = {}
        self._heard: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def hears(self, channel: str) -> bool:
        """Whether notices on the channel arrive now."""
        return channel in self._heard

    def subscribe(self, channel: str, payload: str, wake: Wake) -> None:
        """Call `wake` on each such notice, and whenever some may have been missed."""
        self._wakes.setdefault(channel, {}).setdefault(payload, set()).add(wake)
        if self._task is None:
            self._task = asyncio.create_task(self._listen())

    def unsubscribe(self, channel: str, payload: str, wake: Wake) -> None:
        by_payload = self._wakes[channel]
        by_payload[payload].discard(wake)
        if not by_payload[payload]:
            del by_payload[payload]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until left; then nobody listens any more."""
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """End the connection. A later subscription opens a new one."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _listen(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                async with await self._connect() as connection:
                    while True:
                        await self._listen_to_new_channels(connection)
                        wait = FIRST_WAIT_SECONDS
                        async for notice in connection.notifies(timeout=PROBE_SECONDS):
                            self._wake(notice.channel, notice.payload)
                        async with asyncio.timeout(PROBE_TIMEOUT_SECONDS):
                            await connection.execute("SELECT 1")
            except (Error, OSError) as error:  # a TimeoutError is an OSError
                logger.warning("Notices of the database are not heard; what waits for them polls instead. %s", error)
            finally:
                self._heard.clear()
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    async def _connect(self) -> AsyncConnection[Any]:
        parameters = await asyncio.to_thread(self._parameters)
        return await AsyncConnection.connect(**{**parameters, "application_name": "asterism-notices"}, autocommit=True)

    async def _listen_to_new_channels(self, connection: AsyncConnection[Any]) -> None:
        for channel in self._wakes.keys() - self._heard:
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._heard.add(channel)
            for payload in list(self._wakes[channel]):
                self._wake(channel, payload)

    def _wake(self, channel: str, payload: str) -> None:
        for wake in list(self._wakes.get(channel, {}).get(payload, ())):
            wake()
