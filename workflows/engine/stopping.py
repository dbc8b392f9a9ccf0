"""That this worker is to stop, known in each of its processes: what they have in hand goes back before they end.

The signal comes to Celery's main process alone. It writes into a pipe that its children have inherited, and nobody
takes anything out of it: all of them find it readable from then on.
"""

import os
import select
from typing import Any

from celery import signals

_EAR, _BELL = os.pipe()
os.set_blocking(_BELL, False)


def is_asked() -> bool:
    ready, _, _ = select.select([_EAR], [], [], 0)
    return bool(ready)


def ear() -> int:
    """The file that can be read once this process is to stop; what is in it stays there."""
    return _EAR


@signals.worker_shutting_down.connect(weak=False)
def ask(**_: Any) -> None:
    """Have this process and its children give back what they hold."""
    os.write(_BELL, b"!")
