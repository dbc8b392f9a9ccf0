"""Writes the events of all turns of a process: what came while one write was under way goes with the next.

The first events after a quiet moment are written at once, so that the first words are seen at once; while much comes,
each write takes more.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, InterfaceError, OperationalError

from agents_hub.chat import store
from agents_hub.chat.store import Event, Held
from dashboard.streams.pace import Pace
from mcp_gateway.offload import in_domain

# Seconds between two writes, for nobody reads quicker; after a quiet time so many follow each other at once.
APART_SECONDS = 0.05
AT_ONCE = 4
# Seconds until a write that failed is tried again. What waits is bounded by what models say meanwhile.
AGAIN = 1.0

logger = logging.getLogger(__name__)


class Scribe:
    """One for each event loop."""

    def __init__(self) -> None:
        self._waiting: list[Event] = []
        self._news = asyncio.Event()
        self._written = asyncio.Condition()
        self._taken = self._done = 0
        self._pace = Pace(APART_SECONDS, AT_ONCE)

    def add(self, held: Held, number: int, kind: str, body: Mapping[str, Any]) -> None:
        self._waiting.append(Event(held, number, kind, dict(body)))
        self._taken += 1
        self._news.set()

    async def all_written(self) -> None:
        """Wait until everything added so far is written."""
        wanted = self._taken
        async with self._written:
            await self._written.wait_for(lambda: self._done >= wanted)

    async def write(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            self._pace.begin()
            events, self._waiting = together(self._waiting), []
            taken = self._taken
            await self._store(events)
            async with self._written:
                self._done = taken
                self._written.notify_all()
            await self._pace.wait()

    async def _store(self, events: list[Event]) -> None:
        while events:
            try:
                await in_domain(store.write_events, events)
            except (OperationalError, InterfaceError):
                logger.warning("%s events of turns could not be written; trying again.", len(events), exc_info=True)
                await asyncio.sleep(AGAIN)
            except DatabaseError:
                await self._store_apart(events)
                return
            else:
                return

    async def _store_apart(self, events: list[Event]) -> None:
        """What the database refuses holds up the turn that it is of, and no other."""
        turns = list(dict.fromkeys(event.held for event in events))
        if len(turns) == 1:
            logger.exception("%s events of turn %s were refused and are left out.", len(events), turns[0].id)
            return
        for held in turns:
            await self._store([event for event in events if event.held == held])


def together(events: list[Event]) -> list[Event]:
    """The events with pieces of text that follow each other made one; a number that went with another is left out.

    Numbers only have to grow: whoever reads goes by the last one seen.
    """
    joined: list[Event] = []
    open_text: dict[Held, int] = {}
    for event in events:
        place = open_text.get(event.held)
        if event.kind == "text" and place is not None and joined[place].body["round"] == event.body["round"]:
            before = joined[place]
            text = before.body["text"] + event.body["text"]
            joined[place] = Event(event.held, event.number, "text", {"round": event.body["round"], "text": text})
            continue
        joined.append(event)
        if event.kind == "text":
            open_text[event.held] = len(joined) - 1
        else:
            open_text.pop(event.held, None)
    return joined
