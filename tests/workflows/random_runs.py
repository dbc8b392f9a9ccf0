"""Runs of graphs that are drawn at random: begun, confirmed until their end, and held to the table of statuses."""

from itertools import pairwise
from typing import Any

from accounts.caller import Caller
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import Parts
from workflows.engine import admission
from workflows.engine.run import drive
from workflows.engine.states import WAYS, Status
from workflows.graph.shapes import Settings
from workflows.models import Activity, Execution, Step, Workflow
from workflows.services import executions, wishes

MOST_STEPS = 12
# More rounds than any run here needs until it has ended.
ROUNDS = 60


def started(drawn: Parts, inputs: dict[str, Any] | None = None) -> tuple[Caller, Execution]:
    limits = Settings(max_iterations=MOST_STEPS).model_dump(exclude_none=True)
    workflow: Workflow = WorkflowFactory(agent=AgentFactory(), graph=drawn, settings=limits)
    caller = caller_for(member_of(workflow.agent.organization))
    return caller, executions.start(caller, workflow=workflow, inputs=inputs or {})


def assert_well_kept(execution: Execution) -> None:
    """Its statuses went by the table and ended once; no number of an activity or of a step is missing or twice."""
    execution.refresh_from_db()
    lines = Activity.objects.filter(execution=execution).order_by("number")
    assert [line.number for line in lines] == list(range(1, execution.activity_count + 1))
    path = [Status.STARTING, *(Status(line.payload["status"]) for line in lines if line.type == "status_changed")]
    assert [(one, next_) for one, next_ in pairwise(path) if next_ not in WAYS[one]] == []
    assert path[-1] == execution.state
    steps = Step.objects.filter(execution=execution).order_by("number")
    assert [step.number for step in steps] == list(range(1, execution.step_count + 1))
    fences = [step.fence for step in steps]
    assert fences == sorted(fences)
    completed = [line.payload["stepNumber"] for line in lines if line.type == "step_completed"]
    assert completed == list(range(1, execution.step_count + 1))


def comes_to_an_end(caller: Caller, execution: Execution) -> None:
    """It ends within its limits where a person confirms whatever waits for it."""
    for _ in range(ROUNDS):
        admission.admit()
        assert drive(execution.pk)
        execution.refresh_from_db()
        if execution.state.is_terminal:
            break
        assert execution.state == Status.AWAITING_CONFIRMATION
        wishes.ask_status(caller, execution_id=execution.pk, status=Status.RUNNING)
    assert execution.state.is_terminal
    assert execution.step_count <= MOST_STEPS
    assert_well_kept(execution)
