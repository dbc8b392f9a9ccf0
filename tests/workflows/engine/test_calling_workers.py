"""Workers are called: for each run that has a place, once more where a message was lost, and not by those that stop."""

from typing import Any

import pytest
from django.db import connection

from tests.workflows.engine.runs import placed, workflow
from tests.workflows.factories import ExecutionFactory
from workflows import tasks
from workflows.engine import fairness, stopping
from workflows.models import Execution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def test_a_worker_is_called_for_each_that_got_a_place_and_for_each_that_lost_one(called: Any) -> None:
    ExecutionFactory.create_batch(3, workflow=workflow())
    tasks.let_in()
    assert called == [{}] * 3
    tasks.sweep()
    assert called == [{}] * 3, "none of them has waited long"
    assert fairness.claim_next()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL")
    tasks.sweep()
    tasks.sweep()
    assert called == [{}] * 4


def test_what_waits_for_long_has_one_more_message_a_sweep_which_nobody_keeps(called: Any) -> None:
    """While all workers are busy it is worth nothing, and it would pile up."""
    placed(workflow(), 3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET admitted_at = clock_timestamp() - interval '1 minute'")
    tasks.sweep()
    assert called == [{"kwargs": {"messages_are_lost": True}, "expires": tasks.SWEEP_SECONDS}]
    assert tasks.BEAT["workflows: take up what was lost, and let in what waits"]["options"]["expires"] <= 5


def test_a_worker_called_for_lost_messages_calls_the_next_one(during: Any, called: Any) -> None:
    placed(workflow(), 2)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE workflows_execution SET admitted_at = clock_timestamp() - interval '1 minute'")
    tasks.run_next_execution(messages_are_lost=True)
    assert [options["kwargs"] for options in called] == [{"messages_are_lost": True}]
    tasks.run_next_execution(messages_are_lost=True)
    assert len(called) == 1


def test_a_worker_that_is_to_stop_takes_nothing_and_passes_its_message_on(
    called: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    placed(workflow())
    monkeypatch.setattr(stopping, "is_asked", lambda: True)
    tasks.run_next_execution()
    assert Execution.objects.get().fence == 0
    assert called == [{}]
