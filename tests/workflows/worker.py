"""The Celery application of workers under test: the platform's own, with nodes whose work can be stopped and watched.

With TEST_WORKERS_FENCE=off it commits whoever holds the execution: what the fence is for then goes wrong.
"""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

django.setup()

from accounts.caller import Caller  # noqa: E402
from config.celery import app  # noqa: E402, F401
from workflows.engine import store  # noqa: E402
from workflows.engine.moves import NodeResult  # noqa: E402
from workflows.engine.work import Work  # noqa: E402
from workflows.models import Execution  # noqa: E402
from workflows.nodes import kinds  # noqa: E402
from workflows.services import executions, schedules  # noqa: E402

HOLD, HELD = (Path(os.environ["TEST_WORKERS_FOLDER"]) / name for name in ("hold", "held"))
GO_ON = Path(os.environ["TEST_WORKERS_FOLDER"]) / "go-on"


def take_a_moment(work: Work) -> NodeResult:
    work.interrupt.wait(0.03)
    return NodeResult(variables={work.node.id: work.held.fence})


def stall(work: Work) -> NodeResult:
    """The first worker stops in the middle of the step, whole; the one after it waits there until it may go on."""
    if work.held.fence == 1:
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        while not GO_ON.exists():
            time.sleep(0.05)
    return NodeResult(variables={"fence": work.held.fence})


def start_and_hold(caller: Caller, **options: Any) -> Execution:
    """Start what a schedule is due to start; while there is a file "hold", stay in the midst of its transaction."""
    execution = start_due(caller, **options)
    while HOLD.exists():
        HELD.touch()
        time.sleep(0.05)
    return execution


start_due = executions.start
setattr(schedules, "start", start_and_hold)  # noqa: B010 - there it is imported, and not exported
kinds.add("url", take_a_moment)
kinds.add("playwright_script", stall)

if os.environ.get("TEST_WORKERS_FENCE") == "off":
    fenced = store._commit

    def unfenced(held: store.Held, *arguments: Any, **more: Any) -> store.Seen:
        fence = Execution.objects.values_list("fence", flat=True).get(pk=held.id)
        return fenced(replace(held, fence=fence), *arguments, **more)

    store._commit = unfenced
