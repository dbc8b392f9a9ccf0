"""Giving places away: nobody who stalls in the midst of it holds up the others."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.agents_hub.factories import AgentFactory
from tests.bots.processes import database_url
from tests.threads import meanwhile, until_one_waits_for_a_lock
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission, store
from workflows.models import Execution

pytestmark = pytest.mark.django_db(transaction=True)


def waiting() -> Execution:
    drawn = graph(node("a", "url"), node("end", "output"), way("a", "end", "outcome_success"))
    execution: Execution = ExecutionFactory(workflow=WorkflowFactory(agent=AgentFactory(), graph=drawn))
    return execution


def test_a_worker_that_stalls_while_it_gives_places_away_holds_up_nobody() -> None:
    execution = waiting()
    free: list[Any] = []

    with psycopg.connect(database_url(), autocommit=True) as another:

        def look_after(execute: Callable[..., Any], *statement: Any) -> Any:
            """As if the worker were stopped after each message to the database."""
            result = execute(*statement)
            free.append(another.execute("SELECT pg_try_advisory_lock(%s)", [admission.LOCK]).fetchone())
            another.execute("SELECT pg_advisory_unlock_all()")
            return result

        with connection.execute_wrapper(look_after):
            assert admission.admit() == [execution.pk]
    assert free == [(True,)]


def test_places_are_counted_once_the_lock_is_there(settings: Any) -> None:
    """Whoever waited for the lock sees what the one before it gave away."""
    settings.WORKFLOW_PLACES = 1
    first, _ = waiting(), waiting()
    with psycopg.connect(database_url()) as another:
        another.execute("SELECT pg_advisory_xact_lock(%s)", [admission.LOCK])
        another.execute("UPDATE workflows_execution SET admitted_at = now() WHERE id = %s", [first.pk])
        with meanwhile(admission.admit) as outcomes:
            until_one_waits_for_a_lock()
            another.commit()
    assert outcomes == [[]]


def test_one_that_stalls_while_it_holds_a_run_loses_its_connection_after_a_lease(settings: Any) -> None:
    settings.WORKFLOW_LEASE_SECONDS = 7
    execution = waiting()
    admission.admit()
    held = store.claim(execution.pk)
    assert held is not None
    with store.holding(held), connection.cursor() as cursor:
        cursor.execute("SHOW idle_in_transaction_session_timeout")
        assert cursor.fetchone() == ("7s",)
