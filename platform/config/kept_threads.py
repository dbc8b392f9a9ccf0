"""Threads of Django's pages that are kept from one request to the next, and their database connections with them.

Django runs each request in a thread of its own, which opens a connection: that took longer than most pages do. It
enters a `ThreadSensitiveContext` for that, and enters none where there is one already.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async
from django.db import connections

from config.edge import Receive, Scope, Send

# Requests beyond these that are answered at the same time each get a thread of their own, as in Django itself.
KEPT = 8


class KeptThreads:
    def __init__(self, pages: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        self._pages = pages
        self._free = [ThreadSensitiveContext() for _ in range(KEPT)]
        self._settling: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._free:
            await self._pages(scope, receive, send)
            return
        place = self._free.pop()
        before = SyncToAsync.thread_sensitive_context.set(place)
        try:
            await self._pages(scope, receive, send)
        finally:
            task = asyncio.create_task(self._settle(place))
            SyncToAsync.thread_sensitive_context.reset(before)
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def _settle(self, place: ThreadSensitiveContext) -> None:
        """Let others have the thread once nothing runs in it: of a request that was given up, the view may go on."""
        await sync_to_async(_nothing)()
        self._free.append(place)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until left; then the connections of the threads are closed."""
        try:
            yield
        finally:
            await asyncio.gather(*self._settling)
            for place in self._free:
                before = SyncToAsync.thread_sensitive_context.set(place)
                await sync_to_async(connections.close_all)()
                SyncToAsync.thread_sensitive_context.reset(before)


def _nothing() -> None:
    pass
