"""One thread a worker process: it keeps the lease of the execution in hand, and hears what people want of it.

A notice wakes it at once; should one be lost, it looks by itself every second.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections

from workflows.engine import store
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held
from workflows.engine.work import Interrupt

LOOK_SECONDS = 1.0
# Where what people want of an execution is announced; the payload is its id.
CONTROL = "workflows_control"

logger = logging.getLogger(__name__)


class Watch:
    """Watches one execution at a time."""

    def __init__(self) -> None:
        self._held: Held | None = None
        self._interrupt: Interrupt | None = None
        self._until = 0.0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._listening: object = None
        self._closed = False

    @contextmanager
    def over(self, held: Held, interrupt: Interrupt, seconds_left: float) -> Iterator[None]:
        """Renew the lease, and set the interrupt on a wish, a lost lease, or when the time is up."""
        with self._changed:
            self._held, self._interrupt = held, interrupt
            self._until = time.monotonic() + seconds_left
            self._start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._held = self._interrupt = None

    def close(self) -> None:
        """End the thread and its connection."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        with connection.cursor() as cursor:
            cursor.execute(f"NOTIFY {CONTROL}")
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        # A fork takes the object along and not the thread.
        if self._thread is None or not self._thread.is_alive() or self._process != os.getpid():
            self._process = os.getpid()
            self._thread = threading.Thread(target=self._run, name="workflow-watch", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    while self._held is None and not self._closed:
                        self._changed.wait()
                    held, interrupt, until = self._held, self._interrupt, self._until
                if held is None or interrupt is None:
                    return
                # Listening begins before the look, so that nothing falls between the two.
                self._listen()
                self._look(held, interrupt, until)
                self._wait(until)
        finally:
            connections.close_all()

    def _look(self, held: Held, interrupt: Interrupt, until: float) -> None:
        if time.monotonic() >= until:
            interrupt.set("timeout")
            return
        try:
            seen = store.renew(held)
        except Fenced:
            interrupt.set("fenced")
        except (OperationalError, InterfaceError):
            logger.warning("The lease of execution %s could not be renewed; trying again.", held.id)
            connection.close()
        else:
            if seen.wanted in (Status.PAUSED, Status.CANCELLED):
                interrupt.set("paused" if seen.wanted == Status.PAUSED else "cancelled")

    def _listen(self) -> None:
        """Have notices sent to the connection, once for each that is made."""
        try:
            connection.ensure_connection()
            if self._listening is not connection.connection:
                connection.connection.execute(f"LISTEN {CONTROL}")
                self._listening = connection.connection
        except (OperationalError, InterfaceError, psycopg.Error):
            connection.close()

    def _wait(self, until: float) -> None:
        """Wait for a notice, at most until it is time to look again."""
        seconds = min(LOOK_SECONDS, settings.WORKFLOW_LEASE_SECONDS / 3, max(until - time.monotonic(), 0.05))
        try:
            if connection.connection is None:
                time.sleep(seconds)
                return
            for notice in connection.connection.notifies(timeout=seconds, stop_after=1):
                logger.debug("Heard of execution %s", notice.payload)
        except (OperationalError, InterfaceError, psycopg.Error):
            connection.close()


watch = Watch()
