"""Who carries turns out: a web process takes what waits; a command or a worker those it is given.

One tick a second keeps the leases, and makes up for notices that were lost.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from agents_hub.chat import channels, claiming, store
from agents_hub.chat.run import Ending, TurnRun
from agents_hub.chat.scribe import Scribe
from agents_hub.chat.store import Held, Overtaken
from agents_hub.chat.whole import whole
from dashboard.streams.notices import Notices
from mcp_gateway.hot import connection_parameters
from mcp_gateway.offload import in_domain
from security import request_id

TICK_SECONDS = 1.0
# How long a process that stops waits for its turns to note that they were interrupted.
LEAVING_SECONDS = 5.0

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Seat:
    """A turn under way in this process."""

    run: TurnRun
    task: "asyncio.Task[None]"
    wake: Callable[[], None]
    # Seconds in which the turn did not wait for its person.
    spent: float = 0.0

    def end(self, ending: Ending) -> None:
        """Have it end early, for the first reason given. Where it has ended, its connections go on being closed."""
        if self.run.ending is None and not self.run.has_ended:
            self.run.ending = ending
            self.task.cancel()


class Runner:
    """The turns of one event loop. With `capacity` it takes turns that wait, as many at once.

    It listens by `notices` that somebody else closes, or by its own.
    """

    def __init__(self, capacity: int = 0, notices: Notices | None = None) -> None:
        self._capacity = capacity
        # By turn and fence: a turn that is gone on with may have one whose connections are still being closed.
        self._seats: dict[Held, _Seat] = {}
        self._scribe = Scribe()
        self._notices = Notices(connection_parameters) if notices is None else notices
        self._own_notices = notices is None
        self._news = asyncio.Event()
        self._looking: set[asyncio.Task[None]] = set()
        self._is_leaving = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until left; then the turns under way are marked as interrupted, and can be gone on with."""
        beside = [asyncio.create_task(self._scribe.write()), asyncio.create_task(self._tick())]
        if self._capacity:
            self._notices.subscribe(channels.WAITING, channels.ANY, self._news.set)
            beside.append(asyncio.create_task(self._take()))
        try:
            yield
        finally:
            self._is_leaving = True
            for task in beside[1:]:
                task.cancel()
            await asyncio.wait(beside[1:], timeout=LEAVING_SECONDS)
            await self._leave()
            beside[0].cancel()
            if self._capacity:
                self._notices.unsubscribe(channels.WAITING, channels.ANY, self._news.set)
            await asyncio.gather(*beside, return_exceptions=True)
            if self._own_notices:
                await self._notices.close()

    async def carry_out(self, turn_id: UUID) -> bool:
        """Carry that turn out to its end. False where it is over, somebody else has it, or it is not its turn yet."""
        held = await in_domain(claiming.claim, 1, turn_id)
        if not held:
            return False
        await asyncio.wait([self._begin(held[0]).task])
        return True

    async def _take(self) -> None:
        """Take up what waits, whenever there is word of it, and once in a while without."""
        while not self._is_leaving:
            self._news.clear()
            with _logged("Turns that wait could not be taken up."):
                if (room := self._room()) > 0:
                    await whole(self._take_up(room))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._news.wait()

    async def _take_up(self, room: int) -> None:
        taken = await in_domain(claiming.claim, room)
        if self._is_leaving:
            # Nothing of them was begun: whoever stays takes them up, and nobody is told of an interruption.
            await in_domain(claiming.give_back, taken)
            return
        for held in taken:
            self._begin(held)

    def _room(self) -> int:
        """How many more it takes up. Turns that wait for their person are hardly any work: as many again may."""
        at_work = sum(not seat.run.inquiries.any_open for seat in self._seats.values())
        return min(self._capacity - at_work, 2 * self._capacity - len(self._seats))

    def _begin(self, held: Held) -> _Seat:
        run = TurnRun(held, self._scribe)
        task = asyncio.create_task(self._carry_out(run), name=f"turn {held.id}")

        def wake() -> None:
            looking = asyncio.create_task(self._look(seat))
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)

        seat = self._seats[held] = _Seat(run, task, wake)
        self._notices.subscribe(channels.WISHES, str(held.id), wake)
        return seat

    async def _carry_out(self, run: TurnRun) -> None:
        held = run.held
        request_id.begin()
        try:
            await run.run()
        except Overtaken:
            logger.info("Turn %s was taken away under fence %s", held.id, held.fence)
        except (DatabaseError, InterfaceError):
            # Its lease runs out, and it is marked as interrupted.
            logger.exception("Turn %s lost the database", held.id)
        finally:
            seat = self._seats.pop(held)
            self._notices.unsubscribe(channels.WISHES, str(held.id), seat.wake)
            self._news.set()

    async def _look(self, seat: _Seat) -> None:
        """See whether somebody wants the turn stopped, or answered what it asks."""
        with _logged("What is wanted of a turn could not be read."):
            if seat.run.has_ended:
                return
            await self._renew([seat])
            await seat.run.inquiries.look()

    async def _tick(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = time.monotonic()
            elapsed, last = now - last, now
            seats = self._at_work()
            if not seats:
                continue
            for seat in seats:
                if not seat.run.inquiries.any_open:
                    seat.spent += elapsed
                if seat.spent > settings.CHAT_TURN_SECONDS:
                    seat.end("timeout")
            with _logged("The leases of turns could not be renewed; trying again."):
                await self._renew(seats)
                for seat in seats:
                    await seat.run.inquiries.look()

    async def _renew(self, seats: list[_Seat]) -> None:
        wishes = await in_domain(store.renew, [seat.run.held for seat in seats])
        for seat in seats:
            if seat.run.held not in wishes:
                # Where it has just ended by itself, there is nothing left to cancel.
                seat.end("overtaken")
            elif wishes[seat.run.held]:
                seat.end("stopped")

    def _at_work(self) -> list[_Seat]:
        """Those whose turn has not ended yet."""
        return [seat for seat in self._seats.values() if not seat.run.has_ended]

    async def _leave(self) -> None:
        seats = list(self._seats.values())
        for seat in seats:
            seat.end("shutdown")
        if seats:
            await asyncio.wait([seat.task for seat in seats], timeout=LEAVING_SECONDS)


@contextlib.contextmanager
def _logged(what: str) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, InterfaceError):
        logger.warning(what, exc_info=True)
