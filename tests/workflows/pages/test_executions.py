"""The pages of executions: found, watched, answered and stopped by a browser without scripts."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from llm.models import ModelCall
from tests.agents_hub.factories import AgentFactory
from tests.workflows.factories import ExecutionFileFactory, WorkflowFactory
from tests.workflows.pages.rows import execution
from workflows.engine.states import Status
from workflows.models import Activity, Execution, UserMessage, Workflow
from workflows.pages import executions as executions_pages

pytestmark = pytest.mark.django_db


def listed(answer: Any) -> set[str]:
    return {str(row.pk) for row in answer.context["page"].rows}


def test_the_list_shows_what_fits_all_filters(browser: Client, workflow: Workflow) -> None:
    paused = execution(workflow, Status.PAUSED, inputs={"order": "A-117"}, metadata={"ticket": "8812"})
    execution(workflow, inputs={"order": "B-2"})
    execution(WorkflowFactory(), Status.PAUSED)
    address = reverse("workflows:executions")
    assert len(listed(browser.get(address))) == 2
    for query in (
        {"status": "paused"},
        {"inputs_key": "order", "inputs_value": "a-11"},
        {"metadata_key": "ticket", "metadata_value": "8812"},
        {"execution_id": str(paused.pk), "agent_id": str(workflow.agent_id)},
        {"status": ["paused", "failed"], "created_after": "2026-01-01T00:00"},
    ):
        assert listed(browser.get(address, query)) == {str(paused.pk)}, query
    assert not listed(browser.get(address, {"created_before": "2001-01-01T00:00"}))
    assert len(listed(browser.get(address, {"status": ["paused", "running"]}))) == 2


def test_an_agent_beyond_those_offered_can_be_named_by_the_address(
    browser: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions_pages, "MOST_CHOICES", 1)
    AgentFactory(organization=workflow.agent.organization, name="Aaron")
    row = execution(workflow)
    answer = browser.get(reverse("workflows:executions"), {"agent_id": str(workflow.agent_id)})
    assert listed(answer) == {str(row.pk)}


def test_filters_that_make_no_sense_are_said_to(browser: Client, workflow: Workflow) -> None:
    address = reverse("workflows:executions")
    for query in ({"inputs_key": "order"}, {"created_after": "soon"}, {"agent_id": str(WorkflowFactory().agent_id)}):
        answer = browser.get(address, query)
        assert (answer.status_code, "alert" in answer.text) == (422, True), query


def test_a_longer_list_asks_no_more(
    browser: Client, workflow: Workflow, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(8):
        execution(workflow)
    with django_assert_max_num_queries(16):
        browser.get(reverse("workflows:executions"))


def test_an_execution_is_paused_resumed_and_cancelled(browser: Client, workflow: Workflow) -> None:
    row = execution(workflow)
    page, ask = reverse("workflows:execution", args=[row.pk]), reverse("workflows:ask-status", args=[row.pk])
    for button, wanted, becomes in (
        ("Pause", "paused", Status.PAUSED),
        ("Resume", "running", Status.RUNNING),
        ("Cancel", "cancelled", Status.CANCELLED),
    ):
        assert f'value="{wanted}">{button}' in browser.get(page).text
        assert browser.post(ask, {"status": wanted}).status_code == 302
        row.refresh_from_db()
        assert row.state == becomes
    assert browser.post(ask, {"status": "running"}).status_code == 409
    assert browser.post(ask, {"status": "dancing"}).status_code == 400


@pytest.mark.parametrize(
    ("button", "wanted", "becomes"), [("Confirm", "running", "running"), ("Refuse", "cancelled", "cancelled")]
)
def test_a_confirmation_is_given_or_refused(
    browser: Client, workflow: Workflow, button: str, wanted: str, becomes: str
) -> None:
    waiting = {"reason": "Go on?", "transitionId": "read-ask"}
    row = execution(workflow, Status.AWAITING_CONFIRMATION, waiting_for=waiting)
    shown = browser.get(reverse("workflows:execution", args=[row.pk])).text
    assert "Go on?" in shown
    assert f'value="{wanted}">{button}' in shown
    browser.post(reverse("workflows:ask-status", args=[row.pk]), {"status": wanted})
    row.refresh_from_db()
    assert row.status == becomes


def test_questions_are_answered_by_options_or_own_words(browser: Client, workflow: Workflow) -> None:
    berth = {"question": "Which berth?", "options": [{"label": "North", "description": "Free."}, {"label": "South"}]}
    crew = {"question": "Who comes along?", "options": [{"label": "Ada"}, {"label": "Noor"}], "multiSelect": True}
    open_one = {"question": "Anything else?"}
    row = execution(
        workflow,
        Status.PAUSED_BY_AGENT,
        waiting_for={"reason": "Which berth?", "questions": [berth, crew, open_one]},
    )
    page = reverse("workflows:execution", args=[row.pk])
    shown = browser.get(page).text
    assert "North: Free." in shown
    # Read out, the field of one question is told from that of another.
    assert 'aria-label="In your own words: Who comes along?"' in shown
    half = browser.post(page, {"chosen_0": "North", "own_2": "The anchor is stuck."})
    assert half.status_code == 422
    assert "Choose an option, or write an answer." in half.text
    assert "The anchor is stuck." in half.text
    browser.post(page, {"chosen_0": "North", "chosen_1": ["Ada", "Noor"], "own_1": "And I.", "own_2": "No."})
    said = "Which berth?\nNorth\n\nWho comes along?\nAda\nNoor\nAnd I.\n\nAnything else?\nNo."
    assert UserMessage.objects.get().text == said
    row.refresh_from_db()
    assert row.state == Status.RUNNING


def test_one_question_is_answered_by_the_option_alone(browser: Client, workflow: Workflow) -> None:
    """What is asked before a tool is used counts as allowed by that one word."""
    question = {"question": "Allow send_mail?", "options": [{"label": "Allow"}, {"label": "Refuse"}]}
    row = execution(workflow, Status.PAUSED_BY_AGENT, waiting_for={"reason": "Allow?", "questions": [question]})
    browser.post(reverse("workflows:execution", args=[row.pk]), {"chosen_0": "Allow"})
    assert UserMessage.objects.get().text == "Allow"


def test_a_message_reaches_the_execution_until_it_has_ended(browser: Client, workflow: Workflow) -> None:
    row = execution(workflow)
    page = reverse("workflows:execution", args=[row.pk])
    assert browser.post(page, {"message": " "}).status_code == 422
    assert browser.post(page, {"message": "Take the north berth."}).status_code == 302
    assert "Take the north berth." in browser.get(page).text
    ended = execution(workflow, Status.CANCELLED, terminal_at=row.created_at)
    assert 'name="message"' not in browser.get(reverse("workflows:execution", args=[ended.pk])).text
    assert browser.post(reverse("workflows:execution", args=[ended.pk]), {"message": "Hello"}).status_code == 422


def test_a_long_timeline_is_cut_into_pages(browser: Client, workflow: Workflow) -> None:
    row = execution(workflow, activity_count=230)
    Activity.objects.bulk_create(
        Activity(execution=row, number=number, type="generic", payload={"message": f"<b>line {number}</b>"})
        for number in range(1, 231)
    )
    page = reverse("workflows:execution", args=[row.pk])
    latest = browser.get(page)
    assert [one.number for one in latest.context["told"]] == list(range(131, 231))
    assert "&lt;b&gt;line 230&lt;/b&gt;" in latest.text
    assert (latest.context["earlier"], latest.context["later"]) == (30, None)
    first = browser.get(page, {"after": "0"})
    assert first.context["told"][0].number == 1
    assert (first.context["earlier"], first.context["later"]) == (None, 100)


def test_an_execution_shows_its_files_and_what_its_models_cost(browser: Client, workflow: Workflow) -> None:
    row = execution(workflow)
    ExecutionFileFactory(execution=row, name="tides <low>.txt", created_by="agent")
    shared = {"organization": row.organization, "model": "openai:gpt", "product": "workflows", "duration_ms": 1.0}
    ModelCall.objects.create(**shared, subject=str(row.pk), input_tokens=1_200, cost_usd=Decimal("0.0125"))
    ModelCall.objects.create(**shared, subject=str(row.pk), input_tokens=34, output_tokens=7)
    ModelCall.objects.create(**shared, subject="another", input_tokens=9_999, cost_usd=Decimal(5))
    shown = browser.get(reverse("workflows:execution", args=[row.pk])).text
    for part in ("tides &lt;low&gt;.txt", "The agent", "1,234", "$0.0125", "without 1 call of unknown price"):
        assert part in shown, part
    assert "90 days" not in shown
    Execution.objects.update(created_at=timezone.now() - timedelta(days=91))
    assert "kept one by one for 90 days" in browser.get(reverse("workflows:execution", args=[row.pk])).text


def test_large_variables_are_shown_by_their_beginning_and_given_whole(browser: Client, workflow: Workflow) -> None:
    variables = {"letter": "x" * 5_000, "count": 7, "<b>": {"a": 1}} | {f"v{number:03}": number for number in range(60)}
    row = execution(workflow, variables=variables)
    page = browser.get(reverse("workflows:execution", args=[row.pk]))
    assert len(page.content) < 60_000
    for part in ("x" * 1_999, "The beginning of 5,002 characters.", "&lt;b&gt;", "And 13 more."):
        assert part in page.text, part
    assert "x" * 2_000 not in page.text
    whole = browser.get(reverse("workflows:execution-variables", args=[row.pk]))
    assert json.loads(whole.content) == variables
    assert "attachment" in whole.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("reason", "said"), [("timeout", "Its time was up."), ("user_requested", "A person cancelled it.")]
)
def test_a_cancelled_run_says_why_where_it_says_that_it_is_cancelled(
    browser: Client, workflow: Workflow, reason: str, said: str
) -> None:
    row = execution(workflow, Status.CANCELLED, terminal_at=timezone.now(), activity_count=1)
    payload = {"status": "cancelled", "cancelledPayload": {"reason": reason}}
    Activity.objects.create(execution=row, number=1, type="status_changed", payload=payload)
    shown = browser.get(reverse("workflows:execution", args=[row.pk])).text
    assert said in shown[shown.index('id="now"') : shown.index('id="timeline"')]
