"""How long a call is waited for: from the server's last sign of progress, and not while a person thinks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

from mcp_gateway.remote.questions import Answer, Ask, Question


class Progress(Protocol):
    """Told how far a call is; `total` and `message` where the server says them."""

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None: ...


class Patience:
    """The clock of one call: `seconds` after the last sign of life it ends, after `longest` in any case."""

    def __init__(self, seconds: float, longest: float) -> None:
        self._seconds, self._longest = seconds, longest
        self._timeout: asyncio.Timeout | None = None
        self._questions = 0

    @contextlib.asynccontextmanager
    async def clock(self) -> AsyncIterator[None]:
        """TimeoutError when time runs out inside."""
        self._ends = asyncio.get_running_loop().time() + self._longest
        async with asyncio.timeout(self._seconds) as self._timeout:
            yield
        self._timeout = None

    def renewed_by(self, listener: Progress | None) -> Progress:
        """Whom the library tells of progress: it starts the clock anew, and the listener is told."""

        async def told(progress: float, total: float | None, message: str | None) -> None:
            if not self._questions:
                self._start()
            if listener is not None:
                await listener(progress, total, message)

        return told

    def stopped_during(self, ask: Ask | None) -> Ask | None:
        """The same way to ask, during which the clock stands."""
        if ask is None:
            return None

        async def asked(question: Question) -> Answer:
            began = asyncio.get_running_loop().time()
            self._questions += 1
            self._reschedule(None)
            try:
                return await ask(question)
            finally:
                self._questions -= 1
                if not self._questions:
                    self._ends += asyncio.get_running_loop().time() - began
                    self._start()

        return asked

    def _start(self) -> None:
        self._reschedule(min(asyncio.get_running_loop().time() + self._seconds, self._ends))

    def _reschedule(self, when: float | None) -> None:
        # What comes in after the call ended, or while it is being ended, changes nothing.
        if self._timeout is not None:
            with contextlib.suppress(RuntimeError):
                self._timeout.reschedule(when)
