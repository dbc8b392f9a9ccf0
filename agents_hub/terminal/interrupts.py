"""Ctrl-C as an event: the first press is for whoever waits for it, a second before that was dealt with ends it all."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator


class Interrupts:
    """For the task that made it, which is cancelled by the second press."""

    def __init__(self) -> None:
        self._pressed = asyncio.Event()
        self._main = asyncio.current_task()

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._press)
        try:
            yield
        finally:
            loop.remove_signal_handler(signal.SIGINT)

    async def pressed(self) -> None:
        await self._pressed.wait()

    def forget(self) -> None:
        """It was dealt with."""
        self._pressed.clear()

    def _press(self) -> None:
        if self._pressed.is_set() and self._main is not None:
            self._main.cancel()
        self._pressed.set()
