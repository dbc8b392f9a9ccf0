"""How long an exchange may still wait: one time for all of it, however many small waits it is made of.

httpx2 bounds each read; a server that sends a byte a second passes that forever. The exchange under way sets its clock
here, and every read, write and handshake of the streams in `dial` waits at most what is left.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import httpcore2


@dataclass(frozen=True, slots=True)
class Clock:
    """Until when on the monotonic clock, or for how long each wait may be silent where there is no such time."""

    deadline: float | None
    idle: float | None = None

    def left(self, timeout: float | None) -> float | None:
        """The seconds that the next wait may take."""
        if self.deadline is None:
            return timeout if self.idle is None else self.idle
        remaining = self.deadline - time.monotonic()
        if remaining <= 0:
            raise httpcore2.ReadTimeout("The server took longer than the whole request may take.")
        return remaining if timeout is None else min(timeout, remaining)

    @contextmanager
    def running(self) -> Iterator[None]:
        """While one step of the exchange runs; never around a `yield`, whose caller has a clock of its own."""
        token = _clock.set(self)
        try:
            yield
        finally:
            _clock.reset(token)


UNBOUNDED = Clock(None)
_clock: ContextVar[Clock] = ContextVar("outbound_clock", default=UNBOUNDED)


def left(timeout: float | None) -> float | None:
    """The seconds that the next wait of the exchange under way may take."""
    return _clock.get().left(timeout)


class Patience:
    """The time of one connection attempt, shared by the lookup and the addresses tried."""

    def __init__(self, seconds: float | None) -> None:
        self._until = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        if self._until is None:
            return None
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise httpcore2.ConnectTimeout("The server could not be connected to in time.")
        return remaining

    def share(self, parts: int) -> float | None:
        """The part of what is left that the next of so many attempts gets."""
        remaining = self.left()
        return None if remaining is None else remaining / parts
