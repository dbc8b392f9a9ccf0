"""Doing things at the same moment, each over a database connection of its own, and knowing when one of them waits."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from accounts.errors import DomainError

# Longer than any machine needs; what takes it whole hangs.
SECONDS = 60


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What each act returned or raised, all let go together."""
    gate = threading.Barrier(len(acts), timeout=SECONDS)
    outcomes: list[Any] = [TimeoutError("it did not end")] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            gate.wait()
            outcomes[place] = act()
        except Exception as error:  # whatever it raised is its outcome, for the test to judge
            outcomes[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    return outcomes


def fared(outcomes: list[Any]) -> list[str]:
    """Each outcome in a word: "ok", the code of a domain error, or whatever else was raised."""
    return [
        outcome.code if isinstance(outcome, DomainError) else repr(outcome) if isinstance(outcome, Exception) else "ok"
        for outcome in outcomes
    ]


@contextmanager
def meanwhile(act: Callable[[], Any]) -> Iterator[list[Any]]:
    """Do the act in a thread beside the block; its one outcome is in the list after the block."""
    outcomes: list[Any] = []
    thread = threading.Thread(target=lambda: outcomes.extend(at_once(act)), daemon=True)
    thread.start()
    yield outcomes
    thread.join(2 * SECONDS)


def until_one_waits_for_a_lock() -> None:
    """Until some connection to the test's database waits for what another one holds."""
    ends, tick = time.monotonic() + SECONDS, threading.Event()
    while time.monotonic() < ends:
        with connection.cursor() as cursor:
            # Within a transaction the view is otherwise the one that its first reading gave.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
        tick.wait(0.01)
    raise TimeoutError("nobody waits for a lock")
