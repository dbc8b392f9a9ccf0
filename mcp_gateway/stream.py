"""A POST's answer as a stream of server-sent events, begun only when there is something to say before the result."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from mcp_gateway.refusals import Receive, Send

T = TypeVar("T")

# Silence after which a client is shown that its call still lives; the shortest a proxy is known to wait is 30 seconds.
SILENCE_SECONDS = 15.0
# A call that takes this long is worth watching whether its client is still there.
LONG_SECONDS = 0.2
HEADERS = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]


def takes_a_stream(accept: str) -> bool:
    """Whether an Accept header names event streams. One that is missing, or takes anything, gets plain JSON."""
    kinds = {kind.split(";")[0].strip().lower() for kind in accept.split(",")}
    return not kinds.isdisjoint({"text/event-stream", "text/*"})


class HungUp(Exception):  # noqa: N818 - an event, not a fault
    """The client closed the connection, by which it cancels its call."""


class Stream:
    def __init__(self, receive: Receive, send: Send) -> None:
        self.begun = False
        self._receive = receive
        self._send = send
        self._one_at_a_time = asyncio.Lock()

    async def event(self, data: bytes) -> None:
        await self._write(b"event: message\r\ndata: " + data + b"\r\n\r\n")

    async def end(self, data: bytes) -> None:
        await self._write(b"event: message\r\ndata: " + data + b"\r\n\r\n", more=False)

    async def _write(self, chunk: bytes, *, more: bool = True) -> None:
        async with self._one_at_a_time:
            if not self.begun:
                self.begun = True
                await self._send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            await self._send({"type": "http.response.body", "body": chunk, "more_body": more})

    async def while_running(self, call: Awaitable[T], *, cancel_when_gone: bool) -> T:
        """The call's result, with signs of life sent while it is silent. Raises `HungUp`.

        `cancel_when_gone` ends the call when the client hangs up: so the 2026-07-28 revision cancels, while before it a
        lost connection says nothing of what the client wants.
        """
        loop = asyncio.get_running_loop()
        beside: list[asyncio.Task[None]] = []
        task = asyncio.current_task()
        hung_up = False

        async def show_life() -> None:
            while True:
                await self._write(b": still working\r\n\r\n")
                await asyncio.sleep(SILENCE_SECONDS)

        async def watch() -> None:
            nonlocal hung_up
            while (await self._receive())["type"] != "http.disconnect":
                pass
            hung_up = True
            if task is not None:
                task.cancel()

        timers = [loop.call_later(SILENCE_SECONDS, lambda: beside.append(loop.create_task(show_life())))]
        if cancel_when_gone:
            timers.append(loop.call_later(LONG_SECONDS, lambda: beside.append(loop.create_task(watch()))))
        try:
            return await call
        except asyncio.CancelledError:
            if hung_up and task is not None and task.uncancel() == 0:
                raise HungUp from None
            raise
        finally:
            for timer in timers:
                timer.cancel()
            for helper in beside:
                helper.cancel()
