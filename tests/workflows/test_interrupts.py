"""What a run is interrupted by: said once and for good, and not lost to what goes on beside it."""

import math
import threading

import pytest

from security.identifiers import uuid7
from workflows.engine.store import Held
from workflows.engine.watch import Watch, _Watched
from workflows.engine.work import Interrupt
from workflows.engine.worktime import WorkTime


def test_a_node_that_heeds_no_timeout_loses_its_lease_whatever_is_said_to_it() -> None:
    held = Held(uuid7(), 1, 1)
    watched = _Watched(held, Interrupt(), WorkTime(most=1, before=2), renew_at=0.0)
    watching = Watch()
    watching._watched = watched
    watching._look(watched)
    watching._hear(str(held.id))
    assert (watched.interrupt.reason, watched.due_at) == ("timeout", math.inf)


def test_what_comes_while_a_pause_is_taken_back_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt = Interrupt()
    interrupt.set("paused")
    event = interrupt._event
    cancelling = threading.Thread(target=interrupt.set, args=["cancelled"])

    def clear() -> None:
        cancelling.start()
        cancelling.join(0.2)
        threading.Event.clear(event)

    monkeypatch.setattr(event, "clear", clear)
    interrupt.take_back()
    cancelling.join()
    assert (interrupt.reason, event.is_set()) == ("cancelled", True)
