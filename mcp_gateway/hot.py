"""Reading PostgreSQL on the event loop, for tools called so often that a thread hop would cost more than the query.

The SQL stands beside the model it reads. Reads only: nothing here opens a transaction. Each connection keeps a cursor,
on which a query is prepared after its fifth time; a pool's checkout and a new cursor each time cost twice the query.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import connection as django_connection
from django.db import connections
from psycopg import AsyncConnection, AsyncCursor, InterfaceError, OperationalError
from psycopg.rows import DictRow, dict_row

from accounts.errors import Unavailable

Parameters = Sequence[Any] | Mapping[str, Any]

# Django's own words among the connection's parameters, which libpq does not know.
DJANGO_ONLY = {"cursor_factory", "context", "client_encoding", "prepare_threshold"}
# How long a call waits for a free connection before it says that the database does not keep up.
WAIT_SECONDS = 5.0

logger = logging.getLogger(__name__)


class Readers:
    """Connections of one event loop that only read, at most `most` of them, made when they are needed."""

    def __init__(self, most: int) -> None:
        self._idle: list[AsyncCursor[DictRow]] = []
        self._free = asyncio.Semaphore(most)

    async def read(self, sql: bytes, parameters: Parameters) -> list[dict[str, Any]]:
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        try:
            if not self._idle:
                return await self._read_with(await self._connect(), sql, parameters)
            try:
                return await self._read_with(self._idle.pop(), sql, parameters)
            except (OperationalError, InterfaceError) as error:
                # It was idle, so it may have died of old age or of a restart, and the others with it.
                logger.warning("A connection was dead; reading again on a new one. %s", error)
                await self.close()
                return await self._read_with(await self._connect(), sql, parameters)
        finally:
            self._free.release()

    async def _read_with(
        self, cursor: AsyncCursor[DictRow], sql: bytes, parameters: Parameters
    ) -> list[dict[str, Any]]:
        try:
            await cursor.execute(sql, parameters)
            found = await cursor.fetchall()
        except BaseException:  # cancellation too: what state it is in is anybody's guess
            await cursor.connection.close()
            raise
        self._idle.append(cursor)
        return found

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await self._free.acquire()
        except TimeoutError:
            raise Unavailable(
                "The database does not keep up. Try again in 5 seconds.", data={"retry_after": 5}
            ) from None

    async def _connect(self) -> AsyncCursor[DictRow]:
        parameters = await asyncio.to_thread(connection_parameters)
        connection = await AsyncConnection[DictRow].connect(**parameters, autocommit=True, row_factory=dict_row)
        cursor = connection.cursor()
        await cursor.execute("SET TIME ZONE 'UTC'")
        return cursor

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().connection.close()


_readers: dict[asyncio.AbstractEventLoop, Readers] = {}


def connection_parameters() -> dict[str, Any]:
    """Where the default database is, as libpq takes it. Starts the platform's own PostgreSQL where that is the one."""
    parameters = connections["default"].get_connection_params()
    return {name: value for name, value in parameters.items() if name not in DJANGO_ONLY and value not in ("", None)}


async def rows(sql: str, parameters: Parameters = ()) -> list[dict[str, Any]]:
    """The rows of one SELECT, in one round trip. Raises `Unavailable` when no connection comes free in time."""
    if settings.QUICK_THREADS == 0:
        return await sync_to_async(_rows_through_django)(sql, parameters)
    loop = asyncio.get_running_loop()
    if loop not in _readers:
        _readers[loop] = Readers(settings.HOT_CONNECTIONS)
    return await _readers[loop].read(sql.encode(), parameters)


async def row(sql: str, parameters: Parameters = ()) -> dict[str, Any] | None:
    """The first row of one SELECT, or nothing."""
    found = await rows(sql, parameters)
    return found[0] if found else None


async def close() -> None:
    """Close this event loop's connections. The next read opens new ones."""
    if readers := _readers.pop(asyncio.get_running_loop(), None):
        await readers.close()


def _rows_through_django(sql: str, parameters: Parameters) -> list[dict[str, Any]]:
    """The same through Django's connection, for tests that live in one transaction."""
    with django_connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
