"""What the home page and the jump list show of executions."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from agents_hub.models import Agent
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.pages.rows import execution
from workflows.engine.states import Status
from workflows.models import Execution, Workflow
from workflows.pages import shell

pytestmark = pytest.mark.django_db

QUESTIONS = [{"question": "Which berth?", "options": []}]


def shown(browser: Client) -> str:
    return browser.get(reverse("dashboard:home")).content.decode()


def asking(workflow: Workflow, **fields: Any) -> Execution:
    waiting = {"reason": "The agent asks which berth.", "questions": QUESTIONS}
    return execution(workflow, Status.PAUSED_BY_AGENT, **{"waiting_for": waiting, **fields})


def unconfirmed(workflow: Workflow, **fields: Any) -> Execution:
    waiting = {"reason": "Somebody has to confirm it.", "transitionId": "t"}
    return execution(workflow, Status.AWAITING_CONFIRMATION, **{"waiting_for": waiting, **fields})


def test_who_waits_for_somebody_is_named_with_what_it_waits_for(browser: Client, workflow: Workflow) -> None:
    asked, held = asking(workflow), unconfirmed(workflow)
    page = shown(browser)
    waiting = page[page.index("waiting-heading") : page.index("latest-heading")]
    for one, reason in ((asked, "The agent asks which berth."), (held, "Somebody has to confirm it.")):
        assert reverse("workflows:execution", args=[one.pk]) in waiting
        assert reason in waiting
    assert "All of them" not in waiting


def test_what_needs_nobody_is_no_matter_for_anybody(browser: Client, workflow: Workflow) -> None:
    """A pause that a person made, and one that ends by itself, are none of those that wait for somebody."""
    execution(workflow, Status.PAUSED)
    execution(workflow, Status.PAUSED_BY_AGENT, waiting_for={"reason": "The agent waits.", "questions": []})
    page = shown(browser)
    assert "wait for somebody" not in page
    assert page.count("Paused by agent") == 1


def test_of_many_that_wait_the_oldest_are_named_and_the_others_linked_to(browser: Client, workflow: Workflow) -> None:
    made = [(asking, unconfirmed)[number % 2](workflow) for number in range(shell.MOST_TOLD + 2)]
    answer = browser.get(reverse("dashboard:home"))
    link = f"{reverse('workflows:executions')}?status=paused_by_agent&amp;status=awaiting_confirmation"
    assert f'<a href="{link}">All of them</a>' in answer.content.decode()
    assert [row.pk for row in answer.context["waiting"]] == [row.pk for row in made[: shell.MOST_TOLD]]
    listed = browser.get(link.replace("&amp;", "&")).context["page"].rows
    assert {row.pk for row in listed} == {row.pk for row in made}


def test_the_latest_are_listed_with_how_they_ended(browser: Client, workflow: Workflow) -> None:
    now = timezone.now()
    for hours in range(7):
        execution(
            workflow, Status.COMPLETED, outcome=f"end {hours}", created_at=now - timedelta(hours=hours), terminal_at=now
        )
    page = shown(browser)
    assert [f"end {hours}" in page for hours in range(7)] == [True] * shell.MOST_TOLD + [False] * 2


def test_others_executions_and_none_are_not_spoken_of(browser: Client, workflow: Workflow) -> None:
    asking(WorkflowFactory(), outcome="theirs")
    page = shown(browser)
    assert "executions" not in page
    assert "theirs" not in page


def test_more_executions_cost_no_more_reads(
    browser: Client, workflow: Workflow, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    asking(workflow)
    shown(browser)
    with django_assert_max_num_queries(60) as one:
        shown(browser)
    for _ in range(4):
        asking(WorkflowFactory(agent__organization=workflow.agent.organization))
    with django_assert_max_num_queries(len(one)):
        shown(browser)


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
