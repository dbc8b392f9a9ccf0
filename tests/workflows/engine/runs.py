"""Executions for tests of the engine: of graphs of a few nodes, with the places they need to run."""

from typing import Any, NoReturn

from django.utils import timezone

from accounts.caller import Caller
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission
from workflows.engine.store import Fenced
from workflows.models import Activity, Execution, Workflow
from workflows.services import executions


def started(*parts: dict[str, Any], inputs: dict[str, Any] | None = None, **settings: Any) -> tuple[Caller, Execution]:
    """An execution of a graph of these parts, with its place."""
    workflow: Workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(*parts))
    if settings:
        workflow = WorkflowFactory(
            agent=workflow.agent, graph=workflow.graph, settings={**workflow.settings, **settings}
        )
    caller = caller_for(member_of(workflow.agent.organization))
    execution = executions.start(caller, workflow=workflow, inputs=inputs or {})
    admission.admit()
    return caller, execution


def line(count: int) -> list[dict[str, Any]]:
    """`count` nodes of type url in a row, and the end."""
    names = [f"n{number}" for number in range(count)]
    ways = [way(source, target, "outcome_success") for source, target in zip(names, [*names[1:], "end"], strict=True)]
    return [*(node(name, "url") for name in names), node("end", "output"), *ways]


def workflow(steps: int = 2) -> Workflow:
    """One of an agent and an organization of its own, of so many nodes in a row."""
    made: Workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(*line(steps)))
    return made


def placed(of: Workflow, count: int = 1) -> list[Execution]:
    """Executions that have their places, in this order."""
    return [ExecutionFactory(workflow=of, admitted_at=timezone.now()) for _ in range(count)]


def types(execution: Execution) -> list[str]:
    """What its activities are: of which type, and where one tells of a status, that."""
    found = Activity.objects.filter(execution=execution).order_by("number")
    return [one.payload.get("status", one.type) for one in found]


def lose(execution: Execution) -> NoReturn:
    """The worker of it is gone, as by kill -9, and its lease is over."""
    Execution.objects.filter(pk=execution.pk).update(lease_until=timezone.now())
    raise Fenced("the worker was lost")
