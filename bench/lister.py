"""The benchmark of lists within Django: makes whom they belong to, and asks for each filter of the contract."""

import json
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.db.models import Max  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from accounts.caller import Caller, Door  # noqa: E402
from accounts.models import Membership, Organization, Role, User  # noqa: E402
from accounts.scopes import Scope  # noqa: E402
from agents_hub.models import Agent  # noqa: E402
from bench.runner import graph  # noqa: E402
from workflows.graph.shapes import Settings  # noqa: E402
from workflows.models import Execution, Label, Workflow  # noqa: E402
from workflows.services import listing  # noqa: E402
from workflows.services.listing import Filters  # noqa: E402
from workflows.shapes.executions import ExecutionShape  # noqa: E402

PAGE_SIZE = 10
AGENTS, VERSIONS, LABELS = 20, 5, 10


def people() -> None:
    """A person with an organization, its agents, their versions, and labels."""
    organization = Organization.objects.create(name="Bench", slug="bench")
    person = User.objects.create_user(email="bench@example.com", name="Bench", password=None)
    Membership.objects.create(user=person, organization=organization, role=Role.MEMBER)
    Label.objects.bulk_create(Label(organization=organization, name=f"Label {number}") for number in range(LABELS))
    for number in range(AGENTS):
        agent = Agent.objects.create(organization=organization, name=f"Agent {number}")
        Workflow.objects.bulk_create(
            Workflow(agent=agent, graph=graph(5, 0.0), settings=Settings().model_dump(), version=version)
            for version in range(1, VERSIONS + 1)
        )


def filters() -> Iterator[tuple[str, Filters, dict[str, Any]]]:
    """Each of the contract by its name, with what is asked for in it."""
    organization = Organization.objects.get(slug="bench")
    some = Execution.objects.order_by("created_at")[1000]
    latest = Execution.objects.aggregate(latest=Max("created_at"))["latest"]
    label = Label.objects.order_by("name").first()
    assert label is not None
    yield "nothing", Filters(), {}
    yield "nothing, by status", Filters(), {"sort_field": "status"}
    yield "nothing, page 1,000", Filters(), {"page": 1_000}
    yield "organizationId", Filters(organization_id=organization.uid), {}
    yield "executionId, whole", Filters(execution_id=str(some.pk)), {}
    yield "executionId, a part", Filters(execution_id=str(some.pk)[-6:]), {}
    yield "agentId", Filters(agent_id=some.agent_id), {}
    yield "status, frequent", Filters(status=["completed"]), {}
    yield "status, rare", Filters(status=["running"]), {}
    yield "createdAfter", Filters(created_after=latest - timedelta(days=1)), {}
    yield "createdBefore", Filters(created_before=latest - timedelta(days=60)), {}
    yield "humanLabels", Filters(human_labels=[label.pk]), {}
    yield "outcomeLabel", Filters(outcome_label="declin"), {}
    yield "outcomeLabel, of none", Filters(outcome_label="lost at sea"), {}
    yield "metadata, rare", Filters(metadata_key="ticket", metadata_value="8812"), {}
    yield "metadata, frequent", Filters(metadata_key="tier", metadata_value="1"), {}
    yield "inputs, a part", Filters(inputs_key="order", inputs_value="a-11"), {}
    yield "inputs, of none", Filters(inputs_key="order", inputs_value="Z-117"), {}
    yield "workflowVersion", Filters(workflow_version=3), {}
    yield "agentId, version, status", Filters(agent_id=some.agent_id, workflow_version=3, status=["failed"]), {}


def measure(rounds: int) -> list[dict[str, Any]]:
    caller = Caller(user_id=User.objects.get().pk, scope=Scope.READ, door=Door.REST)
    measured = []
    for name, asked, options in filters():
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            page = listing.list_executions(caller, asked, page_size=PAGE_SIZE, **options)
            shapes = [ExecutionShape.of(row) for row in page.rows]
            took.append((time.perf_counter() - began) * 1_000)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            listing.list_executions(caller, asked, page_size=PAGE_SIZE, **options)
        asks = [one["sql"] for one in queries.captured_queries if 'FROM "workflows_execution"' in one["sql"]]
        plans = [nodes(sql) for sql in asks if not any(part in sql for part in SMALL)]
        measured.append({"name": name, "ms": took, "total": page.total, "shown": len(shapes), "plans": plans})
    return measured


# The reruns of a page's rows, and the rows of a page that was found already.
SMALL = ('"parent_id" IN', '"workflows_execution"."id" IN')
# They add what is shown beside each row, and choose none.
JOINS = {"Nested Loop", "Hash Join", "Merge Join", "Memoize"}


def nodes(sql: str) -> str:
    """The plan's nodes that read the executions, the outermost first."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        (found,) = cursor.fetchone()
    return " > ".join(_names(found[0]["Plan"]))


def _names(plan: dict[str, Any]) -> Iterator[str]:
    """Down the plan to the executions; what is joined to them row by row is left out."""
    index = f" {plan['Index Name']}" if "Index Name" in plan else ""
    table = f" of {plan['Relation Name']}" if plan["Node Type"] == "Seq Scan" else ""
    if plan["Node Type"] not in JOINS:
        yield f"{plan['Node Type']}{index}{table}"
    inner = plan.get("Plans", [])
    if inner:
        yield from _names(next((one for one in inner if "workflows_execution" in json.dumps(one)), inner[0]))


if __name__ == "__main__":
    if sys.argv[1] == "people":
        people()
    else:
        print(json.dumps(measure(int(sys.argv[2]))))
