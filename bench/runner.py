"""The benchmark's workers: the platform's, with nodes that do nothing; as a program it makes executions for them."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

from config.celery import app  # noqa: E402, F401
from workflows.engine.moves import NodeResult  # noqa: E402
from workflows.engine.work import Work  # noqa: E402
from workflows.graph.shapes import Settings  # noqa: E402
from workflows.models import Execution, Workflow  # noqa: E402
from workflows.nodes import kinds  # noqa: E402


def idle(work: Work) -> NodeResult:
    if seconds := float(work.node.properties["script"]):
        work.interrupt.wait(seconds)
    return NodeResult(variables={"last": work.node.id})


kinds.add("playwright_script", idle)


# As one that a worker has: neither the admission nor the sweep touches it.
FAR = datetime(9999, 1, 1, tzinfo=UTC)
HELD: dict[str, Any] = {"status": "running", "fence": 1, "admitted_at": FAR, "lease_until": FAR}


def graph(steps: int, seconds: float) -> dict[str, Any]:
    """Nodes in a row; the last of the steps is the end."""
    names = [f"n{number}" for number in range(steps - 1)]
    nodes: list[dict[str, Any]] = [
        {"id": name, "name": name, "type": "playwright_script", "properties": {"script": str(seconds)}}
        for name in names
    ]
    nodes.append({"id": "end", "name": "End", "type": "output", "properties": {"outcomes": ["done"]}})
    nodes[0]["is_start_node"] = True
    ways = zip(names, [*names[1:], "end"], strict=True)
    return {
        "nodes": nodes,
        "transitions": [{"id": f"{one}-on", "from": one, "to": to, "type": "outcome_success"} for one, to in ways],
    }


def make(executions: int, steps: int, seconds: float, *, held: bool = False) -> None:
    from accounts.models import Organization
    from agents_hub.models import Agent

    organization, _ = Organization.objects.get_or_create(slug="bench", defaults={"name": "Bench"})
    agent, _ = Agent.objects.get_or_create(organization=organization, name="Bench")
    workflow = Workflow.objects.create(agent=agent, graph=graph(steps, seconds), settings=Settings().model_dump())
    Execution.objects.bulk_create(
        Execution(organization=organization, agent=agent, workflow=workflow, **(HELD if held else {}))
        for _ in range(executions)
    )


def sweep_every(seconds: float) -> None:
    from workflows.tasks import sweep

    while True:
        sweep()
        time.sleep(seconds)


if __name__ == "__main__":
    make(**json.loads(sys.argv[1]))
