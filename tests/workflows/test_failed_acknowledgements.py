"""A worker that cannot acknowledge what it did, for Redis is away just then, goes on once it is back."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.agents_hub.factories import AgentFactory
from tests.workflows import servers
from tests.workflows.crowd import Workers, wait_until
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.tasks import END
from workflows.engine.states import Status
from workflows.models import Execution

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


def has_begun(execution: Execution) -> bool:
    execution.refresh_from_db()
    return execution.fence == 2


def is_completed(execution: Execution) -> bool:
    execution.refresh_from_db()
    return execution.state == Status.COMPLETED


def test_the_one_worker_goes_on_after_acknowledgements_that_failed(
    workers: Callable[..., Workers], tmp_path: Path
) -> None:
    held = graph(node("hold", "playwright_script"), END, way("hold", "end", "outcome_success"))
    workflow = WorkflowFactory(agent=AgentFactory(), graph=held)
    with servers.started("redis", tmp_path) as broker:
        crowd = workers(TEST_WORKERS_BROKER=broker.url, TEST_WORKERS_CLOCK="off")
        crowd.worker()
        crowd.beat()
        for _ in range(3):
            (tmp_path / "go-on").unlink(missing_ok=True)
            # Not the first to hold it, the worker stays in the step until it may go on.
            execution = ExecutionFactory(workflow=workflow, fence=1)
            wait_until(lambda execution=execution: has_begun(execution), seconds=120)  # type: ignore[misc]
            failed = crowd.said().count("Couldn't ack")
            broker.kill()
            (tmp_path / "go-on").touch()
            wait_until(lambda failed=failed: crowd.said().count("Couldn't ack") > failed)  # type: ignore[misc]
            broker.start()
            assert is_completed(execution)
