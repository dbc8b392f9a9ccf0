"""Things that belong to one event loop: made when first asked for there, forgotten when the loop is closed."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def __call__(self) -> T:
        """The running loop's own."""
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            # Other threads have loops too: what is looked through here is a copy.
            for ended in [each for each in list(self._made) if each.is_closed()]:
                self._made.pop(ended, None)
            self._made[loop] = self._make()
        return self._made[loop]
