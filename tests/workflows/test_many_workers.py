"""Real Celery workers, killed and stopped in the middle of executions: each ends once, and nothing runs twice."""

import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db.models import Count
from django.utils import timezone

from tests.agents_hub.factories import AgentFactory
from tests.workflows.crowd import Workers, wait_until
from tests.workflows.factories import ExecutionFactory, ScheduleFactory, WorkflowFactory
from tests.workflows.graphs import Parts, graph, node, way
from workflows.models import Activity, Execution, Schedule, ScheduleRun, Step

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

EXECUTIONS, NODES, KILLED = 40, 6, 4


def has_steps(count: int) -> bool:
    return Step.objects.count() >= count


def line(count: int, kind: str) -> Parts:
    names = [f"n{number}" for number in range(count)]
    ways = [way(source, target, "outcome_success") for source, target in zip(names, [*names[1:], "end"], strict=True)]
    return graph(*(node(name, kind) for name in names), node("end", "output"), *ways)


def is_stopped(process: subprocess.Popen[bytes]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def test_workers_killed_at_any_moment_leave_each_execution_ended_once(workers: Callable[..., Workers]) -> None:
    for _ in range(4):
        workflow = WorkflowFactory(agent=AgentFactory(), graph=line(NODES, "url"))
        for _ in range(EXECUTIONS // 4):
            ExecutionFactory(workflow=workflow)
    crowd = workers()
    running = [crowd.worker() for _ in range(3)]
    steps = EXECUTIONS * (NODES + 1)
    for number in range(1, KILLED + 1):
        wait_until(partial(has_steps, steps * number // (KILLED + 2)))
        running.pop(0).kill()
        running.append(crowd.worker())
    wait_until(lambda: not Execution.objects.filter(terminal_at=None).exists())
    assert set(Execution.objects.values_list("status", "step_count")) == {("completed", NODES + 1)}
    assert Step.objects.count() == steps
    ended = Activity.objects.filter(payload__status__in=["completed", "failed", "cancelled"])
    counts = ended.values("execution").annotate(times=Count("id")).values_list("times", flat=True)
    assert list(counts) == [1] * EXECUTIONS
    for execution in Execution.objects.all():
        numbers = execution.activities.order_by("number").values_list("number", flat=True)
        assert list(numbers) == list(range(1, execution.activity_count + 1))
    assert Execution.objects.filter(fence__gt=1).exists(), "nobody was killed in the middle of one"


def overtaken(crowd: Workers) -> Execution:
    """An execution whose worker stopped in the middle of its step, and another is in the middle of it by now."""
    workflow = WorkflowFactory(agent=AgentFactory(), graph=line(1, "playwright_script"))
    execution: Execution = ExecutionFactory(workflow=workflow)
    stalled = crowd.worker()
    wait_until(lambda: is_stopped(stalled))
    crowd.worker()
    wait_until(lambda: Execution.objects.get(pk=execution.pk).fence == 2)
    stalled.send_signal(signal.SIGCONT)
    return execution


def test_a_worker_that_wakes_after_it_was_overtaken_writes_nothing(workers: Callable[..., Workers]) -> None:
    crowd = workers()
    execution = overtaken(crowd)
    wait_until(lambda: f"Execution {execution.pk} was taken away" in crowd.said())
    assert not Step.objects.exists()
    (crowd.folder / "go-on").touch()
    wait_until(lambda: Execution.objects.get(pk=execution.pk).terminal_at)
    assert list(Step.objects.order_by("number").values_list("number", "fence")) == [(1, 2), (2, 2)]
    assert Execution.objects.get(pk=execution.pk).variables == {"fence": 2}


def test_without_the_fence_it_writes_over_the_other(workers: Callable[..., Workers]) -> None:
    """The test above would notice: its workers without the fence."""
    crowd = workers(TEST_WORKERS_FENCE="off")
    execution = overtaken(crowd)
    wait_until(Step.objects.exists)
    assert Execution.objects.get(pk=execution.pk).variables == {"fence": 1}


def test_a_worker_and_a_clock_killed_between_due_and_run_leave_exactly_one_run(workers: Callable[..., Workers]) -> None:
    """The worker dies when it has made the run and has not committed it yet."""
    schedule: Schedule = ScheduleFactory(next_due_at=timezone.now() - timedelta(seconds=1))
    crowd = workers()
    (crowd.folder / "hold").touch()
    killed = [crowd.worker(), crowd.beat()]
    wait_until((crowd.folder / "held").exists)
    for process in killed:
        process.kill()
    assert not ScheduleRun.objects.exists()
    (crowd.folder / "hold").unlink()
    crowd.worker()
    crowd.beat()
    wait_until(ScheduleRun.objects.exists)
    after = Schedule.objects.get()
    assert after.next_due_at is not None
    assert after.next_due_at > timezone.now()
    run, execution = ScheduleRun.objects.get(), Execution.objects.get()
    assert (run.due_at, run.execution_id, execution.schedule_id) == (schedule.next_due_at, execution.pk, schedule.pk)
