"""What is typed, line by line, without holding up what happens meanwhile."""

import asyncio
import os

PIECE = 65_536


class Lines:
    """Of a terminal, a pipe or a file. A line that nobody waits for any more is there for whoever asks next."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._held = b""
        self._is_over = False

    async def next(self) -> str | None:
        """The next line without its end; None where there are no more."""
        while b"\n" not in self._held and not self._is_over:
            await self._readable()
            piece = os.read(self._descriptor, PIECE)
            self._held += piece
            self._is_over = not piece
        if not self._held:
            # A terminal goes on after Ctrl-D; whoever asks again reads again.
            self._is_over = False
            return None
        line, _, self._held = self._held.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()

        def wake() -> None:
            if not ready.done():
                ready.set_result(None)

        try:
            loop.add_reader(self._descriptor, wake)
        except PermissionError:
            # A file is always ready, and cannot be waited for.
            return
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)
