"""What people who look on are to be told of: that an execution has something new. Kept here until the watch sends it.

A notice in the commit itself would make all commits of the database stand in line, each waiting for the disk behind the
one before it: PostgreSQL holds one lock from a notice to the end of its transaction. So a notice follows its commit,
and what comes in quick succession is told once. Lost with its worker, it costs people the time until they look again.
"""

import threading
from collections.abc import Callable, Collection
from uuid import UUID


class Notices:
    """The executions to be told of. Whoever sends them is woken by the first one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: set[UUID] = set()
        self.wake: Callable[[], object] = lambda: None

    def add(self, executions: Collection[UUID]) -> None:
        with self._lock:
            is_first = not self._pending
            self._pending.update(executions)
        if is_first:
            self.wake()

    def take(self) -> set[UUID]:
        """All of them; they are the caller's to send from now on."""
        with self._lock:
            taken, self._pending = self._pending, set()
        return taken

    def __bool__(self) -> bool:
        return bool(self._pending)


notices = Notices()
