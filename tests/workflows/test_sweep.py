"""What brings executions to workers while something goes wrong: a broker that is away, one execution at fault."""

from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from tests.workflows.graphs import way
from tests.workflows.tasks import END, done, started, task
from workflows import tasks
from workflows.engine import store
from workflows.engine.states import Status
from workflows.engine.watch import watch
from workflows.models import Execution
from workflows.services import waiting, wishes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch has a connection of its own, which does not see a test's transaction."""
    monkeypatch.setattr(watch, "over", lambda *_: nullcontext())


def two_that_wait_long() -> list[Execution]:
    runs = [started(task("look", done()), END, way("look", "end"))[1] for _ in range(2)]
    Execution.objects.update(admitted_at=timezone.now() - timedelta(minutes=1))
    return runs


def test_an_execution_that_was_taken_goes_on_though_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(**_: Any) -> None:
        raise OperationalError("the broker is away")

    monkeypatch.setattr(tasks.run_next_execution, "apply_async", refuse)
    first, second = two_that_wait_long()
    tasks.run_next_execution(messages_are_lost=True)
    first.refresh_from_db()
    second.refresh_from_db()
    assert {first.state, second.state} == {Status.COMPLETED, Status.STARTING}


def test_what_one_execution_is_at_fault_for_keeps_no_other_from_being_taken_up(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[str] = []
    monkeypatch.setattr(tasks.run_next_execution, "delay", lambda: called.append("a worker"))
    monkeypatch.setattr(waiting, "settle_what_waited", lambda: 1 / 0)
    _, execution = started(task("look", done()), END, way("look", "end"))
    assert store.claim(execution.pk)
    Execution.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(ZeroDivisionError):
        tasks.sweep()
    execution.refresh_from_db()
    assert (execution.lease_until, called) == (None, ["a worker"])


def test_a_pause_gives_the_place_away_at_once(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    caller, execution = started(task("look", done()), END, way("look", "end"))
    Execution.objects.update(status=Status.RUNNING)
    nudged: list[str] = []
    monkeypatch.setattr(tasks, "nudge", lambda: nudged.append("a worker"))
    with django_capture_on_commit_callbacks(execute=True):
        wishes.ask_status(caller, execution_id=execution.pk, status=Status.PAUSED)
    assert nudged == ["a worker"]
