"""The pages of workflows, as a browser without scripts uses them."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from tests.factories import MembershipFactory
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.engine.states import Status
from workflows.models import Activity, Execution, UserMessage, Workflow

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    """A member, who is no admin: workflows are for all who belong to an organization."""
    person: User = MembershipFactory(role=Role.MEMBER).user
    return person


@pytest.fixture
def browser(person: User) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


@pytest.fixture
def workflow(person: User) -> Workflow:
    made: Workflow = WorkflowFactory(agent__organization=person.organizations.get())
    return made


def execution(workflow: Workflow, status: Status = Status.RUNNING, **fields: Any) -> Execution:
    made: Execution = ExecutionFactory(workflow=workflow, status=status, **fields)
    return made


def text(answer: Any) -> str:
    page: str = answer.content.decode()
    return page


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
        {"status": "paused", "created_after": "2026-01-01T00:00"},
    ):
        assert listed(browser.get(address, query)) == {str(paused.pk)}, query
    assert not listed(browser.get(address, {"created_before": "2001-01-01T00:00"}))


def test_filters_that_make_no_sense_are_said_to(browser: Client, workflow: Workflow) -> None:
    address = reverse("workflows:executions")
    for query in ({"inputs_key": "order"}, {"created_after": "soon"}, {"agent_id": str(WorkflowFactory().agent_id)}):
        answer = browser.get(address, query)
        assert (answer.status_code, "alert" in text(answer)) == (422, True), query


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
        assert f'value="{wanted}">{button}' in text(browser.get(page))
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
    shown = text(browser.get(reverse("workflows:execution", args=[row.pk])))
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
    assert "North: Free." in text(browser.get(page))
    half = browser.post(page, {"chosen_0": "North", "own_2": "The anchor is stuck."})
    assert half.status_code == 422
    assert "Choose an option, or write an answer." in text(half)
    assert "The anchor is stuck." in text(half)
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
    assert "Take the north berth." in text(browser.get(page))
    ended = execution(workflow, Status.CANCELLED, terminal_at=row.created_at)
    assert "<textarea" not in text(browser.get(reverse("workflows:execution", args=[ended.pk])))
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
    assert "&lt;b&gt;line 230&lt;/b&gt;" in text(latest)
    assert (latest.context["earlier"], latest.context["later"]) == (30, None)
    first = browser.get(page, {"after": "0"})
    assert first.context["told"][0].number == 1
    assert (first.context["earlier"], first.context["later"]) == (None, 100)


def test_what_is_somebody_elses_is_not_found(browser: Client) -> None:
    other = execution(WorkflowFactory())
    assert browser.get(reverse("workflows:execution", args=[other.pk])).status_code == 404
    assert browser.post(reverse("workflows:execution", args=[other.pk]), {"message": "Hello"}).status_code == 404
    assert browser.post(reverse("workflows:ask-status", args=[other.pk]), {"status": "paused"}).status_code == 404
    assert not UserMessage.objects.exists()
