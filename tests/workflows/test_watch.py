"""The watch, over a connection of its own: it keeps the lease, and wakes a node in the middle of its work."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db.models import F

from accounts.caller import Caller
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.processes import database_url
from tests.factories import caller_for
from tests.threads import meanwhile
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission, stopping, store
from workflows.engine.moves import NodeResult
from workflows.engine.notices import notices
from workflows.engine.run import drive
from workflows.engine.statements import Shape, committing
from workflows.engine.states import Status
from workflows.engine.store import CHANNEL
from workflows.engine.watch import LOOK_SECONDS, WATCH, Watch
from workflows.engine.work import Work
from workflows.models import Execution, Step
from workflows.nodes import kinds
from workflows.services import executions, wishes

pytestmark = pytest.mark.django_db(transaction=True)

# What takes longer than this hangs.
SECONDS = 30


class Sleeper:
    """A node that waits until it is interrupted or let go, and says that it has begun."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.watch = Watch()

    def __call__(self, work: Work) -> NodeResult:
        self.begun.set()
        work.interrupt.on(self.go_on.set)
        assert self.go_on.wait(SECONDS), "nothing woke it"
        work.interrupt.on(None)
        work.interrupt.check()
        return NodeResult()


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Sleeper]:
    """It carries out nodes of type `url`; the lease is short, and the watch the test's own."""
    settings.WORKFLOW_LEASE_SECONDS = 2
    monkeypatch.setattr("workflows.tasks.nudge", lambda: None)
    sleeper = Sleeper()
    monkeypatch.setitem(kinds._kinds, "url", sleeper)
    monkeypatch.setattr("workflows.engine.run.watch", sleeper.watch)
    yield sleeper
    sleeper.go_on.set()
    sleeper.watch.close()


def started() -> tuple[Caller, Execution]:
    workflow = WorkflowFactory(
        agent=AgentFactory(), graph=graph(node("a", "url"), node("end", "output"), way("a", "end", "outcome_success"))
    )
    caller = caller_for(member_of(workflow.agent.organization))
    execution = executions.start(caller, workflow=workflow, inputs={})
    admission.admit()
    return caller, execution


@contextmanager
def in_the_middle(sleeper: Sleeper, execution: Execution) -> Iterator[None]:
    """While a worker drives it and its node has begun; after the block the worker has stopped by itself."""
    with meanwhile(lambda: drive(execution.pk)) as outcomes:
        assert sleeper.begun.wait(SECONDS)
        yield
    assert outcomes == [True]
    execution.refresh_from_db()


def lease_of(execution: Execution) -> datetime:
    lease = Execution.objects.values_list("lease_until", flat=True).get(pk=execution.pk)
    assert lease is not None
    return lease


def is_renewed(execution: Execution, lease: datetime) -> bool:
    return lease_of(execution) > lease


def until(true: Callable[[], bool]) -> None:
    ends, tick = time.monotonic() + SECONDS, threading.Event()
    while not true():
        assert time.monotonic() < ends, "it did not come about"
        tick.wait(0.02)


def test_the_lease_is_kept_while_a_node_takes_its_time(sleeper: Sleeper) -> None:
    _, execution = started()
    with in_the_middle(sleeper, execution):
        for _ in range(3):
            until(partial(is_renewed, execution, lease_of(execution)))
        assert store.claim(execution.pk) is None
        assert admission.lost() == []
        sleeper.go_on.set()
    assert execution.status == "completed"


def test_the_time_at_work_is_kept_with_the_lease(sleeper: Sleeper) -> None:
    """Of a node that writes nothing for an hour, too, no more is lost with its worker than what is since a renewal."""
    _, execution = started()
    kept = Execution.objects.filter(pk=execution.pk, active_seconds__gt=0)
    with in_the_middle(sleeper, execution):
        until(kept.exists)
        sleeper.go_on.set()
    assert execution.step_count == 2


@pytest.mark.parametrize(("wish", "status"), [(Status.CANCELLED, "cancelled"), (Status.PAUSED, "paused")])
def test_a_notice_of_a_wish_wakes_the_node(
    sleeper: Sleeper, settings: Any, monkeypatch: pytest.MonkeyPatch, wish: Status, status: str
) -> None:
    # It does not look by itself before the test is over.
    settings.WORKFLOW_LEASE_SECONDS = 100 * SECONDS
    monkeypatch.setattr("workflows.engine.watch.LOOK_SECONDS", 10 * SECONDS)
    caller, execution = started()
    with in_the_middle(sleeper, execution):
        wishes.ask_status(caller, execution_id=execution.pk, status=wish)
    assert (execution.status, execution.step_count, execution.wanted) == (status, 0, "")


def test_a_wish_whose_notice_was_lost_is_found_all_the_same(sleeper: Sleeper) -> None:
    assert LOOK_SECONDS <= 1
    _, execution = started()
    with in_the_middle(sleeper, execution):
        Execution.objects.filter(pk=execution.pk).update(wanted=Status.CANCELLED)
    assert execution.status == "cancelled"


def test_a_process_that_is_to_end_interrupts_what_does_not_come_to_its_end(
    sleeper: Sleeper, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.WORKFLOW_STOP_SECONDS = 0
    ear, bell = os.pipe()
    monkeypatch.setattr(stopping, "_EAR", ear)
    monkeypatch.setattr(stopping, "_BELL", bell)
    _, execution = started()
    try:
        with in_the_middle(sleeper, execution):
            stopping.ask()
    finally:
        os.close(ear)
        os.close(bell)
    assert (execution.status, execution.lease_until, execution.attempts) == ("running", None, 0)
    assert execution.admitted_at is not None


def test_when_the_time_is_up_the_node_is_woken(sleeper: Sleeper) -> None:
    _, execution = started()
    longest = execution.workflow.settings["max_timeout_mins"] * 60
    Execution.objects.filter(pk=execution.pk).update(active_seconds=longest - 2 * SECONDS)
    with in_the_middle(sleeper, execution):
        watched = sleeper.watch._watched
        assert watched is not None
        assert 0 < watched.until - time.monotonic() <= 2 * SECONDS
        watched.time.before += 2 * SECONDS
        sleeper.watch.wake()
    assert execution.status == "cancelled"
    assert execution.activities.latest("number").payload["cancelledPayload"] == {"reason": "timeout"}


def test_a_worker_that_lost_its_lease_is_woken_and_writes_nothing(sleeper: Sleeper) -> None:
    _, execution = started()
    with in_the_middle(sleeper, execution):
        Execution.objects.filter(pk=execution.pk).update(fence=F("fence") + 1)
    assert (execution.status, execution.step_count) == ("running", 0)
    assert not Step.objects.exists()


@pytest.fixture
def listener() -> Iterator[psycopg.Connection]:
    """Somebody who looks on, over a connection of their own."""
    with psycopg.connect(database_url(), autocommit=True) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        yield connection


def payloads(listener: psycopg.Connection) -> Iterator[str]:
    for notice in listener.notifies(timeout=SECONDS):
        yield notice.payload


def test_those_who_look_on_are_told_once_it_is_certain(sleeper: Sleeper, listener: psycopg.Connection) -> None:
    sleeper.go_on.set()
    _, execution = started()
    with in_the_middle(sleeper, execution):
        pass
    assert execution.status == "completed"
    until(lambda: not notices)
    listener.execute(f"NOTIFY {CHANNEL}, 'no more'")
    heard = []
    for payload in payloads(listener):
        if payload == "no more":
            break
        heard.append(payload)
    assert set(heard) == {str(execution.pk)}


def test_what_happens_in_quick_succession_is_told_together(
    sleeper: Sleeper, listener: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.engine.watch.TELL_SECONDS", 5 * SECONDS)
    sent: list[set[Any]] = []
    take = notices.take

    def taking() -> set[Any]:
        sent.append(take())
        return sent[-1]

    monkeypatch.setattr(notices, "take", taking)
    _, execution = started()
    with in_the_middle(sleeper, execution):
        assert next(payloads(listener)) == str(execution.pk)
        for _ in range(20):
            notices.add([execution.pk])
        sleeper.go_on.set()
    assert sent == [{execution.pk}]
    take()


def test_no_commit_of_a_step_waits_for_its_notice() -> None:
    """A notice within a transaction has all others with one wait until that is on the disk."""
    assert b"pg_notify" not in committing(Shape(lines=True, step=True))


def test_a_watch_whose_connection_broke_takes_another(sleeper: Sleeper, listener: psycopg.Connection) -> None:
    caller, execution = started()
    with in_the_middle(sleeper, execution):
        assert next(payloads(listener)) == str(execution.pk)
        broken = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = %s"
        assert listener.execute(broken, [WATCH]).fetchall() == [(True,)]
        until(partial(is_renewed, execution, lease_of(execution)))
        wishes.ask_status(caller, execution_id=execution.pk, status=Status.CANCELLED)
    assert execution.status == "cancelled"
