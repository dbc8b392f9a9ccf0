"""Rows that the pages show."""

from typing import Any

from tests.workflows.factories import ExecutionFactory
from workflows.engine.states import Status
from workflows.models import Execution, Workflow


def execution(workflow: Workflow, status: Status = Status.RUNNING, **fields: Any) -> Execution:
    made: Execution = ExecutionFactory(workflow=workflow, status=status, **fields)
    return made
