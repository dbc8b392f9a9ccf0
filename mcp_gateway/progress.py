"""Reporting on the way: what a tool that takes long calls, from whichever thread it runs in."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

Report = Callable[[float, float | None, str | None], Awaitable[None]]


class Progress:
    """Called by a tool with how far it is; sent to the client in that order, if it asked to be told."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._sent: list[Future[None]] = []

    def __call__(self, done: float, total: float | None = None, message: str | None = None) -> None:
        self._sent.append(asyncio.run_coroutine_threadsafe(self._send(done, total, message), self._loop))

    async def _send(self, done: float, total: float | None, message: str | None) -> None:
        await self._report(done, total, message)

    async def all_sent(self) -> None:
        """Wait until every report is out: the result must come last. A client that left is no error."""
        waiting: list[Any] = [asyncio.wrap_future(sent) for sent in self._sent]
        await asyncio.gather(*waiting, return_exceptions=True)
