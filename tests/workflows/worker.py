"""The Celery application of workers under test: the platform's own, with nodes whose work can be stopped and watched.

With TEST_WORKERS_FENCE=off it commits whoever holds the execution: what the fence is for then goes wrong. With
TEST_WORKERS_DIE the first of them that comes to that point is killed there, by itself.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

django.setup()

from celery import signals  # noqa: E402

from accounts.caller import Caller  # noqa: E402
from config.celery import app  # noqa: E402
from llm.services.thinking import Thinker  # noqa: E402
from workflows.engine import fairness, store  # noqa: E402
from workflows.engine.moves import NodeResult  # noqa: E402
from workflows.engine.work import Work  # noqa: E402
from workflows.models import Checkpoint, Execution  # noqa: E402
from workflows.nodes import kinds  # noqa: E402
from workflows.services import executions, schedules  # noqa: E402
from workflows.task.actions import Action, actions  # noqa: E402
from workflows.task.builtin import Note  # noqa: E402
from workflows.tasks import sweep  # noqa: E402

FOLDER = Path(os.environ["TEST_WORKERS_FOLDER"])
GO_ON = FOLDER / "go-on"
HOLD, HELD = FOLDER / "hold", FOLDER / "held"


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


def die_once(point: str) -> None:
    """Be gone as by kill -9, where the test says that it is here, and nobody was before."""
    if os.environ.get("TEST_WORKERS_DIE") != point:
        return
    try:
        os.close(os.open(FOLDER / "died", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


async def ship(work: Work, arguments: Note) -> str:
    """An action that alters the world, and so is not to be done twice."""
    with open(FOLDER / "shipped", "a") as world:
        world.write(f"{work.action_key}\n")
    die_once("in an action")
    return "Shipped."


def dying(point: str, act: Callable[..., Any], when: Callable[..., bool] = lambda *_: True) -> Callable[..., Any]:
    def act_unless_dead(*arguments: Any, **more: Any) -> Any:
        if when(*arguments):
            die_once(point)
        return act(*arguments, **more)

    return act_unless_dead


def ends_an_action(held: store.Held, point: store.PointRow, *_: Any) -> bool:
    return point.kind == Checkpoint.Kind.ACTION_DONE


actions.add(Action("ship", "Ship it.", Note, ship, "tests"))
fairness.claim_next = dying("before the claim", fairness.claim_next)
store.checkpoint = dying("between action and commit", store.checkpoint, ends_an_action)
Thinker.ask = dying("in a model call", Thinker.ask)  # type: ignore[method-assign]

kinds.add("url", take_a_moment)
kinds.add("playwright_script", stall)

if os.environ.get("TEST_WORKERS_FENCE") == "off":
    fenced = store._commit

    def unfenced(held: store.Held, *arguments: Any, **more: Any) -> store.Seen:
        fence = Execution.objects.values_list("fence", flat=True).get(pk=held.id)
        return fenced(replace(held, fence=fence), *arguments, **more)

    store._commit = unfenced


@signals.worker_ready.connect(weak=False)
def keep_time(**_: Any) -> None:
    """Each does what the schedule does, more often; with TEST_WORKERS_CLOCK=off none does."""
    if os.environ.get("TEST_WORKERS_CLOCK") != "off":
        threading.Thread(target=sweep_on, daemon=True).start()


def sweep_on() -> None:
    while True:
        sweep()
        time.sleep(0.5)


app.finalize()
# The platform's schedule of workflows, with the sweep more often.
app.conf.beat_schedule = {
    **{name: each for name, each in app.conf.beat_schedule.items() if each["task"].startswith("workflows.")},
    "tests: sweep": {"task": "workflows.tasks.sweep", "schedule": 0.5},
}
