"""Places are given in turns, and what may wait for one has its bounds."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse

from tests.agents_hub.api.door import fault, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.workflows.engine.runs import workflow
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.engine import admission
from workflows.models import Execution, Workflow
from workflows.services import executions
from workflows.services.executions import RETRY_SECONDS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unwatched")]


def test_organizations_take_turns_and_no_agent_takes_all(settings: Any) -> None:
    settings.WORKFLOW_PLACES, settings.WORKFLOW_PLACES_PER_ORGANIZATION, settings.WORKFLOW_PLACES_PER_AGENT = 4, 3, 2
    busy, quiet = workflow(1), workflow(1)
    sibling = WorkflowFactory(graph=busy.graph, agent=AgentFactory(organization=busy.agent.organization))
    of_busy = caller_for(member_of(busy.agent.organization))
    many = [executions.start(of_busy, workflow=busy, inputs={}) for _ in range(6)]
    other = [executions.start(of_busy, workflow=sibling, inputs={}) for _ in range(2)]
    single = executions.start(caller_for(member_of(quiet.agent.organization)), workflow=quiet, inputs={})
    assert set(admission.admit()) == {many[0].pk, many[1].pk, other[0].pk, single.pk}
    assert admission.admit() == []


def test_a_run_of_a_quiet_tenant_goes_before_a_thousand_of_a_busy_one(settings: Any) -> None:
    settings.WORKFLOW_PLACES = settings.WORKFLOW_PLACES_PER_ORGANIZATION = settings.WORKFLOW_PLACES_PER_AGENT = 2
    busy, quiet = workflow(1), workflow(1)
    Execution.objects.bulk_create(ExecutionFactory.build_batch(1_000, workflow=busy))
    single = ExecutionFactory(workflow=quiet)
    assert single.pk in admission.admit()


def test_a_start_beyond_what_may_wait_is_refused_and_says_when_to_try_again(settings: Any) -> None:
    settings.WORKFLOW_MOST_WAITING = 2
    busy, quiet = workflow(), workflow()
    ExecutionFactory.create_batch(2, workflow=busy)
    refused = start(busy)
    assert (refused.status_code, refused["Retry-After"]) == (429, str(RETRY_SECONDS))
    assert "2 executions of the organization are waiting" in fault(refused)[1]
    assert start(quiet).status_code == 200
    admission.admit()
    assert start(busy).status_code == 200


def start(version: Workflow) -> HttpResponse:
    """Somebody of its organization runs it by the REST API."""
    key = rest(member_of(version.agent.organization))
    return key.post(f"agents/{version.agent_id}/workflows/{version.pk}/execute", {"inputVariables": {}})


def test_places_are_given_without_reading_all_that_wait(settings: Any) -> None:
    """Of each agent only as many are looked at as may have a place."""
    of = workflow()
    Execution.objects.bulk_create(ExecutionFactory.build_batch(3_000, workflow=of))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE workflows_execution")
        limits = {"places": 50, "per_organization": 10, "per_agent": 5}
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {admission.NEXT}", limits)
        plan = cursor.fetchone()[0][0]["Plan"]
    read = [part for part in parts_of(plan) if part.get("Relation Name") == "workflows_execution"]
    assert max(part["Actual Rows"] for part in read) <= 5


def parts_of(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(part for inner in plan.get("Plans", []) for part in parts_of(inner))]
