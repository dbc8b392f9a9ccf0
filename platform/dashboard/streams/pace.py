"""How far apart something is done that each time takes in all that came meanwhile."""

import asyncio
import time


class Pace:
    """`seconds` lie between one time and the next; after a quiet time the first `at_once` follow each other freely.

    So what comes first is not held up, and much that comes is taken together (the generic cell rate algorithm).
    """

    def __init__(self, seconds: float, at_once: int) -> None:
        self._seconds = seconds
        self._at_once = at_once
        self._next = 0.0

    def begin(self) -> None:
        """Count one time, which begins now."""
        self._next = max(self._next, time.monotonic() - self._at_once * self._seconds) + self._seconds

    async def wait(self) -> None:
        """Until the next time may begin."""
        await asyncio.sleep(max(0.0, self._next - time.monotonic()))
