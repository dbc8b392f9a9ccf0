"""What the home page and the jump list show of executions."""

import pytest
from django.test import Client

from accounts.models import User
from agents_hub.models import Agent
from tests.workflows.factories import ExecutionFactory
from tests.workflows.pages.rows import execution
from workflows.engine.states import Status
from workflows.models import Execution, Workflow

pytestmark = pytest.mark.django_db


def test_home_leads_to_the_executions_that_wait_for_somebody(browser: Client, workflow: Workflow) -> None:
    asked = execution(workflow, Status.PAUSED_BY_AGENT, waiting_for={"reason": "Which berth?"})
    others: list[Execution] = [execution(workflow), ExecutionFactory(status=Status.AWAITING_CONFIRMATION)]
    shown = browser.get("/dashboard/").text
    assert str(asked.pk) in shown
    assert "Which berth?" in shown
    assert not any(str(other.pk) in shown for other in others)
    for _ in range(5):
        execution(workflow, Status.AWAITING_CONFIRMATION)
    more = browser.get("/dashboard/")
    assert len(more.context["waiting"]) == 5
    address = "/dashboard/workflows/?status=awaiting_confirmation&status=paused_by_agent"
    assert address.replace("&", "&amp;") in more.text
    assert len(browser.get(address).context["page"].rows) == 6


def test_home_offers_the_first_agent_to_whoever_has_none(browser: Client, person: User) -> None:
    assert "No agents yet" in browser.get("/dashboard/").text
    Agent.objects.create(organization=person.organizations.get(), name="Harbour desk")
    assert "No agents yet" not in browser.get("/dashboard/").text


@pytest.mark.parametrize("typed", ["{whole}", "{whole_in_capitals}", "…{end}", "{end}"])
def test_an_execution_is_jumped_to_by_its_id_or_the_end_of_it(browser: Client, workflow: Workflow, typed: str) -> None:
    wanted, stranger = execution(workflow), ExecutionFactory()
    for row, is_found in ((wanted, True), (stranger, False)):
        words = typed.format(whole=row.pk, whole_in_capitals=str(row.pk).upper(), end=row.pk.hex[-6:])
        shown = browser.get("/dashboard/jump", {"q": words}).text
        assert (f"/executions/{row.pk}/" in shown) == is_found


def test_words_are_no_ids(browser: Client, workflow: Workflow) -> None:
    execution(workflow)
    assert "/executions/" not in browser.get("/dashboard/jump", {"q": "harbour desk"}).text
