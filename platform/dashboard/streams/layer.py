"""The layer around Django that streams what its views ask for (`dashboard.streams.answer`), within bounds."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.conf import settings
from django.db import connections

from dashboard.streams.answering import SCOPE_KEY, Asked, Slot
from dashboard.streams.feed import Feed, Hop, Watcher
from dashboard.streams.notices import Notices
from dashboard.streams.stream import Message, Receive, Send, Stream
from dashboard.streams.subjects import Read

Scope = MutableMapping[str, Any]
# Loosely typed: each framework has its own names for the same three things.
Application = Callable[[Any, Any, Any], Awaitable[None]]

# When a page that found no room may ask again.
BUSY_RETRY_SECONDS = 30
# While a stream is being opened, it has a database connection as any request has; after a restart all come at once.
OPENED_AT_ONCE = 8

logger = logging.getLogger(__name__)


class Streams:
    """An ASGI application around `application`; one for a process, living in one event loop.

    `hop` is the way into the synchronous domain. Whoever made the `notices` closes them after the streams.
    """

    def __init__(self, application: Application, *, hop: Hop, notices: Notices) -> None:
        self._application = application
        self._hop = hop
        self._notices = notices
        self._feeds: dict[tuple[str, str, Read], Feed] = {}
        self._open: dict[Stream, int] = {}
        self._opening = asyncio.Semaphore(OPENED_AT_ONCE)
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        slot = scope[SCOPE_KEY] = Slot()
        start: Message | None = None

        async def pass_on(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and slot.asked and message["status"] == HTTPStatus.OK:
                start = message
            if start is None:
                await send(message)

        async with self._opening if _wants_stream(scope) else contextlib.nullcontext():
            await self._ask(scope, receive, pass_on)
        if start is not None and slot.asked is not None:
            await self._answer(slot.asked, start["headers"], receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Django's own context of the same kind does nothing within this one, and so the thread is still there after it.
        async with ThreadSensitiveContext():
            try:
                await self._application(scope, receive, send)
            finally:
                # The thread is this request's alone: its connection would wait for the garbage collector.
                await sync_to_async(connections.close_all)()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """End every stream in the end."""
        self._ending = False
        try:
            yield
        finally:
            self.end()

    def end(self) -> None:
        """End every stream, as the process is about to stop; browsers come back by themselves, to another one."""
        self._ending = True
        for stream in self._open:
            stream.stop()

    async def _answer(self, asked: Asked, headers: list[tuple[bytes, bytes]], receive: Receive, send: Send) -> None:
        if refused := self._refusal(asked.person_id):
            await _refuse(*refused, headers, send)
            return
        async with self._watching(asked) as watcher:
            stream = Stream(asked, watcher, hop=self._hop, receive=receive, send=send)
            self._open[stream] = asked.person_id
            try:
                await send(
                    {"type": "http.response.start", "status": 200, "headers": _without(b"content-length", headers)}
                )
                await stream.run()
            except TimeoutError:
                logger.info("A client took nothing more of its stream.")
            finally:
                del self._open[stream]

    def _refusal(self, person_id: int) -> tuple[HTTPStatus, str] | None:
        if Counter(self._open.values())[person_id] >= settings.STREAMS_PER_PERSON:
            return HTTPStatus.TOO_MANY_REQUESTS, "You have too many live pages open at once. Close some of them."
        if self._ending or len(self._open) >= settings.STREAMS_PER_PROCESS:
            return HTTPStatus.SERVICE_UNAVAILABLE, "This server has no room for another live page now. Try again later."
        return None

    @contextlib.asynccontextmanager
    async def _watching(self, asked: Asked) -> AsyncIterator[Watcher]:
        """A watcher of the subject's feed, which is there as long as anybody watches."""
        name = asked.subject.shared
        feed = self._feeds.get(name)
        if feed is None or feed.end is not None:
            feed = self._feeds[name] = Feed(asked.subject, asked.after, hop=self._hop, notices=self._notices)
        watcher = Watcher(feed, asked.after)
        feed.watchers.add(watcher)
        try:
            yield watcher
        finally:
            feed.watchers.discard(watcher)
            if not feed.watchers:
                if self._feeds.get(name) is feed:
                    del self._feeds[name]
                await feed.close()


def _wants_stream(scope: Scope) -> bool:
    """As browsers say it (EventSource); whoever does not is answered as any page is."""
    return any(name == b"accept" and b"text/event-stream" in value for name, value in scope["headers"])


async def _refuse(status: HTTPStatus, words: str, headers: list[tuple[bytes, bytes]], send: Send) -> None:
    kept = _without(b"content-length", _without(b"content-type", headers))
    own = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(words)).encode()),
        (b"retry-after", str(BUSY_RETRY_SECONDS).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*kept, *own]})
    await send({"type": "http.response.body", "body": words.encode()})


def _without(name: bytes, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [pair for pair in headers if pair[0].lower() != name]
