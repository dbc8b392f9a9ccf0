"""One subject, read once for all of this process who look at it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Any

from django.db import InterfaceError, OperationalError

from accounts.errors import DomainError
from dashboard.streams.notices import Notices
from dashboard.streams.pace import Pace
from dashboard.streams.subjects import Reading, Subject

# The one hop from the event loop into the synchronous domain (`mcp_gateway.offload.in_domain`).
Hop = Callable[..., Awaitable[Any]]

# Notices that come closer together are answered by one reading, but for the first after a quiet time.
APART_SECONDS = 0.1
AT_ONCE = 3
# How often a subject is looked at without a notice: while notices are heard, and while they are not.
LOOK_SECONDS = 5.0
DEAF_LOOK_SECONDS = 1.0
# Events kept for those who come, come back or are slow; who is further behind reads for itself.
MOST_KEPT = 100

logger = logging.getLogger(__name__)


class End(StrEnum):
    """Why a stream is ended, as the page is told."""

    OVER = "over"
    """Nothing more will happen."""
    CUT = "cut"
    """This person may no longer look on, or there is nothing to be looked at any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as it goes over the wire; `place` is its number, or of a picture the reading that it came with."""

    place: int
    wire: bytes


class Watcher:
    """Somebody who looks on: the number of the last event it was given, and what wakes it."""

    def __init__(self, feed: "Feed", after: int) -> None:
        self.feed = feed
        self.after = after
        self.woken = asyncio.Event()
        self._readings = 0

    @property
    def is_behind(self) -> bool:
        """Whether there is more for it than the feed has kept."""
        return self.after < self.feed.since

    async def take(self) -> bytes:
        """What it has not been given yet, as it goes over the wire: the events, and then how things are after them.

        While it is behind, it is one reading of what was missed.
        """
        fresh = await self._missed() if self.is_behind else [*self._kept(), *self._changed()]
        return b"".join(event.wire for event in fresh)

    async def _missed(self) -> list[Kept]:
        since = self.feed.since
        missed = await self.feed.read(self.after)
        self.after = missed[-1].place if missed else since
        self.woken.set()
        return missed

    def _kept(self) -> list[Kept]:
        newest_first = list(takewhile(lambda event: event.place > self.after, reversed(self.feed.kept)))
        self.after = newest_first[0].place if newest_first else self.after
        return newest_first[::-1]

    def _changed(self) -> list[Kept]:
        seen, self._readings = self._readings, self.feed.readings
        return [picture for picture in self.feed.pictures.values() if picture.place > seen]


class Feed:
    """The latest events of one subject, for its watchers. `since` is the number after which all of them are kept."""

    def __init__(self, subject: Subject, after: int, *, hop: Hop, notices: Notices) -> None:
        self.since = after
        self.readings = 0
        self.kept: deque[Kept] = deque()
        self.pictures: dict[str, Kept] = {}
        self.end: End | None = None
        self.watchers: set[Watcher] = set()
        self._subject = subject
        self._position = after
        self._hop = hop
        self._notices = notices
        self._news = asyncio.Event()
        self._pace = Pace(APART_SECONDS, AT_ONCE)
        notices.subscribe(subject.channel, subject.key, self._news.set)
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        self._notices.unsubscribe(self._subject.channel, self._subject.key, self._news.set)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def read(self, after: int) -> list[Kept]:
        """What happened after the number, for one who is further behind than what is kept."""
        reading: Reading = await self._hop(self._subject.read, self._subject.key, after)
        return [Kept(event.number, event.wire()) for event in reading.events if event.number is not None]

    async def _run(self) -> None:
        try:
            while self.end is None:
                await self._look()
        except DomainError:
            self.end = End.CUT
        except Exception:  # whatever fails in a product's reading: those who look on are let go and their pages poll
            logger.exception("%s of %s cannot be read", self._subject.key, self._subject.channel)
            self.end = End.CUT
        self._wake()

    async def _look(self) -> None:
        """Read what is new, pass it on, and wait until there may be more."""
        self._news.clear()
        self._pace.begin()
        try:
            reading: Reading = await self._hop(self._subject.read, self._subject.key, self._position)
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database does not answer; live pages wait. %s", error)
            await asyncio.sleep(DEAF_LOOK_SECONDS)
            return
        self._take_in(reading)
        if self._position < reading.last:
            return
        if reading.is_over:
            self.end = End.OVER
            return
        hears = self._notices.hears(self._subject.channel)
        try:
            async with asyncio.timeout(LOOK_SECONDS if hears else DEAF_LOOK_SECONDS):
                await self._news.wait()
        except TimeoutError:
            return
        await self._pace.wait()

    def _take_in(self, reading: Reading) -> None:
        self.readings += 1
        numbered = [Kept(event.number, event.wire()) for event in reading.events if event.number is not None]
        changed = self._changed_pictures(reading)
        self.pictures |= changed
        self._keep(numbered, reading.last)
        if numbered or changed:
            self._wake()

    def _keep(self, numbered: list[Kept], last: int) -> None:
        if numbered and last - numbered[-1].place > MOST_KEPT:
            # So far from the end it would keep none of what lies between; whoever wants that reads it.
            self.kept.clear()
            self._position = self.since = last - MOST_KEPT
            return
        self.kept.extend(numbered)
        # A page may claim to know more than there is; it then waits for what is new, and nobody else does.
        self._position = numbered[-1].place if numbered else last
        self.since = min(self.since, self._position)
        while len(self.kept) > MOST_KEPT:
            self.since = self.kept.popleft().place

    def _changed_pictures(self, reading: Reading) -> dict[str, Kept]:
        pictures = {event.name: Kept(self.readings, event.wire()) for event in reading.events if event.number is None}
        return {
            name: picture
            for name, picture in pictures.items()
            if name not in self.pictures or self.pictures[name].wire != picture.wire
        }

    def _wake(self) -> None:
        for watcher in self.watchers:
            watcher.woken.set()
