"""One thread a worker process: it keeps the lease of the execution in hand, hears what people want of it, and tells
those who look on what is new.

A notice wakes it at once; should one be lost, it looks by itself every second.
"""

import logging
import math
import os
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

from workflows.engine import stopping, store
from workflows.engine.notices import notices
from workflows.engine.states import Status
from workflows.engine.store import CHANNEL, Fenced, Held
from workflows.engine.work import Interrupt
from workflows.engine.worktime import WorkTime

LOOK_SECONDS = 1.0
# Between two notices: what happens meanwhile is told with the second.
TELL_SECONDS = 0.02
# Where what people want of an execution is announced; the payload is its id.
CONTROL = "workflows_control"
# What its connection is called in the database's list of them.
WATCH = "workflow-watch"
TELL = "SELECT pg_notify(%s, told) FROM unnest(%s::text[]) AS told"

logger = logging.getLogger(__name__)


@dataclass
class _Watched:
    """The execution in hand. Times are of the monotonic clock."""

    held: Held
    interrupt: Interrupt
    time: WorkTime
    renew_at: float
    look_at: float = 0.0
    is_timed_out: bool = False
    # Whether the process is to end, and when it then no longer waits for what is under way.
    is_hurried: bool = False
    patient_until: float = math.inf

    @property
    def until(self) -> float:
        """When its time at work is over."""
        return time.monotonic() + self.time.left

    @property
    def due_at(self) -> float:
        """When there is something to do for it. A node that does not heed that its time is up loses its lease, and the
        run ends with whoever takes it over."""
        return math.inf if self.is_timed_out else min(self.look_at, self.until, self.patient_until)


class Watch:
    """Watches one execution at a time."""

    def __init__(self) -> None:
        self._watched: _Watched | None = None
        self._thread: threading.Thread | None = None
        self._process = 0
        self._listening: object = None
        self._tell_at = 0.0
        self._closed = False

    @contextmanager
    def over(self, held: Held, interrupt: Interrupt, worktime: WorkTime) -> Iterator[None]:
        """Renew the lease, and set the interrupt on a wish, a lost lease, when the time is up, or the process ends."""
        renew_at = time.monotonic() + settings.WORKFLOW_LEASE_SECONDS / 3
        self._watched = _Watched(held, interrupt, worktime, renew_at)
        self._start()
        self.wake()
        try:
            yield
        finally:
            self._watched = None

    def wake(self) -> None:
        """Have the thread see what there is to do, where it has begun."""
        if self._thread is None:
            return
        # A byte that finds the buffer full is not needed, and one for a thread that has ended is not either.
        with suppress(OSError):
            self._bell.send(b"!")

    def close(self) -> None:
        """End the thread and its connection."""
        if self._thread is not None:
            self._closed = True
            self.wake()
            self._thread.join()

    def _start(self) -> None:
        # A fork takes the object along and not the thread.
        if self._thread is None or not self._thread.is_alive() or self._process != os.getpid():
            self._process = os.getpid()
            self._bell, self._ear = socket.socketpair()
            self._bell.setblocking(False)
            self._ear.setblocking(False)
            notices.wake = self.wake
            self._thread = threading.Thread(target=self._run, name=WATCH, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            while not self._closed:
                watched = self._watched
                # Listening begins before the look, so that nothing falls between the two.
                self._listen()
                if watched is not None and time.monotonic() >= watched.due_at:
                    self._look(watched)
                self._tell()
                self._wait(watched)
        finally:
            connections.close_all()
            self._bell.close()
            self._ear.close()

    def _listen(self) -> None:
        """Have notices sent to the connection, once for each that is made.

        Its commits do not wait for the disk: a crash of the database costs at most a renewal, and every lease with it.
        """
        try:
            connection.ensure_connection()
            wire = connection.connection
            if self._listening is not wire:
                wire.add_notify_handler(lambda notice: self._hear(notice.payload))
                wire.execute(f"SET application_name = '{WATCH}'; SET synchronous_commit = off")
                wire.execute(f"LISTEN {CONTROL}")
                self._listening = wire
        except (OperationalError, InterfaceError, psycopg.Error):
            connection.close()

    def _hear(self, payload: str) -> None:
        watched = self._watched
        if watched is not None and payload == str(watched.held.id):
            watched.look_at = 0.0

    def _look(self, watched: _Watched) -> None:
        now, lease = time.monotonic(), settings.WORKFLOW_LEASE_SECONDS
        if now >= watched.until:
            watched.interrupt.set("timeout")
            watched.is_timed_out = True
            return
        if now >= watched.patient_until:
            watched.interrupt.set("worker_ends")
            watched.patient_until = math.inf
        watched.look_at = now + min(LOOK_SECONDS, lease / 3)
        try:
            if now >= watched.renew_at:
                # With what was spent: should this worker be lost, that counts all the same.
                seen = store.renew(watched.held, {"active_seconds": watched.time.spent})
                watched.renew_at = now + lease / 3
            else:
                seen = store.look(watched.held)
        except Fenced:
            watched.interrupt.set("fenced")
        except (OperationalError, InterfaceError):
            logger.warning("The lease of execution %s could not be renewed; trying again.", watched.held.id)
            connection.close()
        else:
            if seen.wanted in (Status.PAUSED, Status.CANCELLED):
                watched.interrupt.set("paused" if seen.wanted == Status.PAUSED else "cancelled")

    def _tell(self) -> None:
        """Send what notices there are, all together."""
        now = time.monotonic()
        if not notices or now < self._tell_at:
            return
        self._tell_at = now + TELL_SECONDS
        taken = notices.take()
        try:
            with connection.cursor() as cursor:
                cursor.execute(TELL, [CHANNEL, [*map(str, taken)]])
        except (OperationalError, InterfaceError):
            connection.close()
            self._tell_at = now + LOOK_SECONDS
            notices.add(taken)

    def _wait(self, watched: _Watched | None) -> None:
        """Wait for a notice or the bell, at most until there is something to do."""
        times = [math.inf if watched is None else watched.due_at]
        if notices:
            times.append(self._tell_at)
        seconds = max(min(times) - time.monotonic(), 0.0)
        try:
            wire = connection.connection
            ears: list[Any] = [self._ear] if wire is None else [self._ear, wire]
            if watched is not None and not watched.is_hurried:
                ears.append(stopping.ear())
            ready, _, _ = select.select(ears, [], [], None if seconds == math.inf else seconds)
            if self._ear in ready:
                self._ear.recv(4096)
            if watched is not None and stopping.ear() in ready:
                watched.is_hurried = True
                watched.patient_until = time.monotonic() + settings.WORKFLOW_STOP_SECONDS
            if wire in ready:
                self._read(wire)
        except (OperationalError, InterfaceError, psycopg.Error):
            connection.close()

    def _read(self, wire: psycopg.Connection) -> None:
        """Hear what has come. What comes with a query's answer is heard by the connection's handler."""
        wire.pgconn.consume_input()
        while (notice := wire.pgconn.notifies()) is not None:
            self._hear(notice.extra.decode())


watch = Watch()
