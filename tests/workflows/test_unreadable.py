"""Executions of which something cannot be read: they end with the reason, and are not taken up again for ever."""

from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tests.agents_hub.factories import AgentFactory, ProfileFactory
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.engine import sharing
from workflows.engine.run import drive
from workflows.models import Execution

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def placed(**fields: Any) -> Execution:
    made: Execution = ExecutionFactory(admitted_at=timezone.now(), **fields)
    return made


def reason_of(execution: Execution) -> str:
    """Why it failed, which its last activity says too."""
    assert drive(execution.pk)
    execution.refresh_from_db()
    assert (execution.status, execution.lease_until) == ("failed", None)
    last = execution.activities.latest("number").payload
    assert last == {"status": "failed", "failedPayload": {"reason": execution.failure}}
    return execution.failure


def test_a_secret_that_does_not_open(settings: Any) -> None:
    workflow = WorkflowFactory(agent=AgentFactory())
    profile = ProfileFactory(organization=workflow.agent.organization)
    credential = profile.credentials.create(name="PIN", value="1234")
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {credential._meta.db_table} SET value = set_byte(value, 20, 255 - get_byte(value, 20))")
    assert "Enter the profile's credentials again" in reason_of(placed(workflow=workflow, profile=profile))


@pytest.mark.parametrize("broken", [{"settings": {"max_iterations": "many"}}, {"graph": {"nodes": "none"}}])
def test_a_version_that_this_release_does_not_take(broken: dict[str, Any]) -> None:
    execution = placed(workflow=WorkflowFactory(**broken))
    assert "Make a new version of it" in reason_of(execution)


def test_anything_else_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def burst(_: Execution) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(sharing, "restore", burst)
    execution = placed()
    monkeypatch.setattr("workflows.engine.run.request_id.current", lambda: "")
    assert reason_of(execution) == f"Something failed on our side. It is in the log under {execution.pk}."


def test_one_that_lost_its_worker_too_often_is_given_up_before_it_is_read() -> None:
    """What takes the worker may be the reading."""
    execution = placed(workflow=WorkflowFactory(graph={"nodes": "none"}), attempts=5)
    assert "5 times in a row" in reason_of(execution)
