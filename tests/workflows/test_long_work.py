"""Long and short work by real workers of several processes: neither holds up the other, and nobody holds up all."""

import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psutil
import pytest
from django.utils import timezone

from tests.agents_hub.factories import AgentFactory
from tests.workflows.crowd import SECONDS, Workers, wait_until
from tests.workflows.factories import ExecutionFactory, ScheduleFactory, WorkflowFactory
from tests.workflows.graphs import Parts, graph, node, way
from tests.workflows.tasks import END, call, done, task
from workflows.graph.shapes import Settings
from workflows.models import Activity, Execution, ScheduleRun

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

Crowds = Callable[..., Workers]


@pytest.fixture
def crowd(workers: Crowds) -> Workers:
    """Slices of a second, and no clock but the real one."""
    return workers(WORKFLOW_SLICE_SECONDS="1", TEST_WORKERS_CLOCK="off")


def in_circles() -> Parts:
    """Steps that take a moment each, for longer than any test."""
    on = {"properties": {"name": "on", "selector": "a"}}
    return graph(
        node("a", "url"),
        node("b", "url"),
        END,
        way("a", "b", "outcome_success"),
        way("b", "a", "outcome_success"),
        way("a", "end", "selector", **on),
    )


def waiting_on_and_on() -> Parts:
    """One step of an AI task that waits a moment again and again."""
    waits = [call("util_wait_time", seconds=2)] * 95
    return graph(task("look", *waits, done(), tools=("util_wait_time",)), END, way("look", "end"))


def brief() -> Parts:
    return graph(node("a", "url"), END, way("a", "end", "outcome_success"))


def runs(drawn: Parts, count: int = 1, **of: Any) -> list[Execution]:
    limits = Settings(max_iterations=1_000).model_dump(exclude_none=True)
    workflow = WorkflowFactory(agent=AgentFactory(**of), graph=drawn, settings=limits)
    return [ExecutionFactory(workflow=workflow) for _ in range(count)]


def at_work(*among: Execution) -> int:
    chosen = Execution.objects.filter(lease_until__isnull=False, terminal_at=None)
    return chosen.filter(pk__in=[one.pk for one in among]).count()


def ended(execution: Execution) -> bool:
    return Execution.objects.get(pk=execution.pk).terminal_at is not None


def test_another_tenants_run_starts_within_about_a_slice_of_a_busy_ones(crowd: Workers) -> None:
    """Six that take for ever have both processes; a seventh of somebody else ends while they are at it."""
    crowd.pool(1, "short")
    crowd.pool(2, "long")
    crowd.beat()
    circles = runs(in_circles(), 3)
    of = {"organization": circles[0].organization}
    busy = [*circles, *runs(waiting_on_and_on(), 3, **of)]
    wait_until(lambda: at_work(*busy) == 2)
    [single] = runs(brief())
    wait_until(lambda: ended(single))
    assert not any(ended(one) for one in busy)
    # Those of one tenant take turns too.
    wait_until(lambda: not Execution.objects.filter(pk__in=[one.pk for one in busy], fence=0).exists())
    assert not any(ended(one) for one in busy)
    noise = Activity.objects.filter(type="status_changed", execution__in=busy)
    assert noise.count() == len(busy), "giving way is no change that people see"


def test_a_lost_run_goes_on_though_all_who_could_take_it_are_busy(crowd: Workers) -> None:
    """Found by the clock, through the broker, by a worker of short work; taken up when a slice of the busy one ends."""
    crowd.pool(1, "short")
    [first] = runs(in_circles())
    crowd.beat()
    lost = crowd.pool(1, "long")
    wait_until(lambda: at_work(first) == 1)
    [second] = runs(in_circles())
    crowd.pool(1, "long")
    wait_until(lambda: at_work(first, second) == 2)
    kill_all_of(lost)
    before = {one.pk: Execution.objects.get(pk=one.pk).step_count for one in (first, second)}
    wait_until(lambda: all(Execution.objects.get(pk=pk).step_count > count + 10 for pk, count in before.items()))
    assert not ended(first)
    assert not ended(second)


def kill_all_of(worker: subprocess.Popen[bytes]) -> None:
    """Its processes at once, as when the machine is gone."""
    for process in [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]:
        process.kill()
    worker.wait()


def test_a_schedule_runs_on_time_while_all_who_run_executions_are_busy(crowd: Workers) -> None:
    crowd.pool(1, "long")
    crowd.pool(1, "short")
    crowd.beat()
    [busy] = runs(in_circles())
    wait_until(lambda: at_work(busy) == 1)
    ScheduleFactory(next_due_at=timezone.now() - timedelta(seconds=1))
    wait_until(ScheduleRun.objects.exists)
    assert not ended(busy)


@pytest.mark.parametrize("drawn", [in_circles(), waiting_on_and_on()], ids=["between steps", "within a step"])
def test_a_worker_told_to_stop_gives_back_what_it_has(workers: Crowds, drawn: Parts) -> None:
    crowd = workers(TEST_WORKERS_CLOCK="off", WORKFLOW_LEASE_SECONDS="600", WORKFLOW_STOP_SECONDS="1")
    crowd.pool(1, "short")
    crowd.beat()
    stopped = crowd.pool(2, "long")
    both = runs(drawn, 2)
    wait_until(lambda: at_work(*both) == 2)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(SECONDS) == 0
    found = Execution.objects.values_list("status", "lease_until", "attempts").distinct()
    assert list(found) == [("running", None, 0)]
    assert Activity.objects.filter(type="status_changed").count() == 2
    fences = list(Execution.objects.order_by("pk").values_list("fence", flat=True))
    crowd.pool(2, "long")
    wait_until(lambda: at_work(*both) == 2)
    after = list(Execution.objects.order_by("pk").values_list("fence", flat=True))
    assert all(later > before for later, before in zip(after, fences, strict=True))
