"""One person's stream, from the first byte to the last: events as they come, a heartbeat, and access checked again."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError

from accounts.errors import DomainError, Forbidden
from dashboard.streams.answering import Asked
from dashboard.streams.feed import End, Hop, Watcher

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

# When a browser that was cut off comes back, in milliseconds: not all of them at once.
SOONEST_RETRY, SPREAD_OF_RETRIES = 1_000, 2_000
BEAT = b": still here\n\n"
# A client that takes nothing for so long has gone without saying so.
SEND_TIMEOUT_SECONDS = 30.0


class Stream:
    def __init__(self, asked: Asked, watcher: Watcher, *, hop: Hop, receive: Receive, send: Send) -> None:
        self._asked = asked
        self._watcher = watcher
        self._hop = hop
        self._receive = receive
        self._send = send
        self._stopping = False
        self._beat_at = 0.0

    def stop(self) -> None:
        """End it, to be taken up again by whoever serves then."""
        self._stopping = True
        self._watcher.woken.set()

    async def run(self) -> None:
        """Stream until the subject or the person's right to it has ended, the client has left, or it is stopped."""
        await self._write(f"retry: {SOONEST_RETRY + secrets.randbelow(SPREAD_OF_RETRIES)}\n\n".encode())
        self._beat_at = time.monotonic() + settings.STREAM_BEAT_SECONDS
        async with self._stopped_when_left():
            while not self._stopping:
                self._watcher.woken.clear()
                given, end = await self._new()
                if given:
                    await self._write(given)
                if end is not None:
                    await self._write(f"event: {end}\ndata:\n\n".encode())
                    break
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._beat_at - time.monotonic()):
                        await self._watcher.woken.wait()
        await self._write(b"", more=False)

    async def _new(self) -> tuple[bytes, End | None]:
        # Asked before what is taken, so that an end comes after the last event.
        end = None if self._watcher.is_behind else self._watcher.feed.end
        try:
            given = await self._watcher.take()
            if time.monotonic() >= self._beat_at:
                await self._hop(_check, self._asked)
                self._beat_at = time.monotonic() + settings.STREAM_BEAT_SECONDS
                given += BEAT
        except (DomainError, OperationalError, InterfaceError):
            # Nobody looks on whose right to it is not certain.
            return b"", End.CUT
        return given, end

    @contextlib.asynccontextmanager
    async def _stopped_when_left(self) -> AsyncIterator[None]:
        async def until_left() -> None:
            while (await self._receive())["type"] != "http.disconnect":
                pass
            self.stop()

        leaving = asyncio.create_task(until_left())
        try:
            yield
        finally:
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _write(self, part: bytes, *, more: bool = True) -> None:
        async with asyncio.timeout(SEND_TIMEOUT_SECONDS):
            await self._send({"type": "http.response.body", "body": part, "more_body": more})


def _check(asked: Asked) -> None:
    if not asked.holds():
        raise Forbidden("You are signed out, or the key is no longer valid.")
    asked.subject.check()
