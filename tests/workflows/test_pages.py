"""The pages of workflows, as a browser without scripts uses them."""

import json
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from pytest_django import DjangoAssertNumQueries

from accounts.models import Membership, Role, User
from agents_hub.models import Agent, Stage
from llm.models import ModelCall
from tests.agents_hub.factories import AgentFactory
from tests.factories import MembershipFactory
from tests.pages import signed_in
from tests.workflows.factories import ExecutionFactory, ExecutionFileFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, sound, sound_graphs, way
from workflows.engine.states import Status
from workflows.graph.shapes import Graph
from workflows.models import Activity, Execution, Publication, UserMessage, Workflow
from workflows.pages import comparing
from workflows.pages import executions as executions_pages
from workflows.pages.drawing import HEIGHT, WIDTH, draw
from workflows.services.versions import default_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def person() -> User:
    """A member, who is no admin: workflows are for all who belong to an organization."""
    person: User = MembershipFactory(role=Role.MEMBER).user
    return person


@pytest.fixture
def browser(person: User) -> Client:
    return signed_in(person)


@pytest.fixture
def workflow(person: User) -> Workflow:
    made: Workflow = WorkflowFactory(agent__organization=person.organizations.get())
    return made


def execution(workflow: Workflow, status: Status = Status.RUNNING, **fields: Any) -> Execution:
    made: Execution = ExecutionFactory(workflow=workflow, status=status, **fields)
    return made


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
    assert "North: Free." in browser.get(page).text
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


def test_what_is_somebody_elses_is_not_found(browser: Client) -> None:
    other = execution(WorkflowFactory())
    assert browser.get(reverse("workflows:execution", args=[other.pk])).status_code == 404
    assert browser.post(reverse("workflows:execution", args=[other.pk]), {"message": "Hello"}).status_code == 404
    assert browser.post(reverse("workflows:ask-status", args=[other.pk]), {"status": "paused"}).status_code == 404
    for name in ("execution-labels", "comment", "upload", "sync", "execution-variables"):
        assert browser.get(reverse(f"workflows:{name}", args=[other.pk])).status_code == 404, name
    assert not UserMessage.objects.exists()
    other = WorkflowFactory()
    for name in ("version", "run", "delete-version"):
        address = reverse(f"workflows:{name}", args=[other.agent_id, other.pk])
        assert browser.get(address).status_code == 404, name
    for name in ("versions", "new-version", "compare", "publications"):
        assert browser.get(reverse(f"workflows:{name}", args=[other.agent_id])).status_code == 404, name
    assert browser.post(reverse("workflows:publish", args=[other.agent_id, other.pk])).status_code == 404
    assert not Publication.objects.exists()


def test_a_version_is_published_and_rolled_back(browser: Client, workflow: Workflow) -> None:
    later = WorkflowFactory(agent=workflow.agent, parent=workflow)
    for version, button in ((workflow, "Publish"), (later, "Publish"), (workflow, "Roll back to this")):
        page = reverse("workflows:version", args=[version.agent_id, version.pk])
        assert button in browser.get(page).text
        browser.post(reverse("workflows:publish", args=[version.agent_id, version.pk]))
        assert default_version(workflow.agent_id) == version
        assert button not in browser.get(page).text
    assert Publication.objects.count() == 3


def test_a_faulty_draft_says_what_is_wrong_and_cannot_be_published_or_run(browser: Client, person: User) -> None:
    parts = graph(node("read"), way("read", "nowhere"))
    faulty = WorkflowFactory(agent__organization=person.organizations.get(), graph=parts)
    where = [faulty.agent_id, faulty.pk]
    shown = browser.get(reverse("workflows:version", args=where)).text
    assert "goes to nowhere, and there is no such node" in shown
    assert ">Publish<" not in shown
    assert browser.post(reverse("workflows:publish", args=where)).status_code == 400
    assert "Fix it" in browser.get(reverse("workflows:run", args=where)).text
    assert browser.post(reverse("workflows:run", args=where), {}).status_code == 422
    assert not Execution.objects.exists()


def sent(parts: dict[str, Any] | str, act: str = "save", **fields: str) -> dict[str, str]:
    return {"graph": parts if isinstance(parts, str) else json.dumps(parts), "settings": "{}", "act": act, **fields}


def test_the_editor_checks_without_saving_and_saves_a_draft_with_its_parent(
    browser: Client, workflow: Workflow
) -> None:
    page = f"{reverse('workflows:new-version', args=[workflow.agent_id])}?from={workflow.pk}"
    assert "Nothing is wrong" in browser.get(page).text
    faulty = graph(node("read"))
    checked = browser.post(page, sent(faulty, "check"))
    assert (checked.status_code, "never ends" in checked.text) == (200, True)
    assert Workflow.objects.count() == 1
    browser.post(page, sent(faulty, rules="Be brief.", environment_template='{"type": "os", "config": {}}'))
    made = Workflow.objects.exclude(pk=workflow.pk).get()
    assert (made.parent, made.rules, made.version) == (workflow, "Be brief.", None)
    assert made.environment_template == {"type": "os", "config": {}}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"nodes": [}', "It is not JSON: Expecting value at line 1, column 12"),
        ('{"nodes": [{"id": "a", "name": "A", "type": "dance"}]}', "nodes.0.type: Input should be"),
        ('{"nodes": [], "colour": 1}', "colour: Extra inputs are not permitted"),
        ('{"nodes": [NaN]}', "a value that JSON does not"),
        ("[" * 100_000, "a value that JSON does not"),
        ('{"nodes": [{"id": "a", "name": "\\u0000", "type": "url"}]}', "cannot be stored"),
        ("", "This field is required"),
    ],
    ids=["syntax", "type", "name", "constant", "depth", "nul", "empty"],
)
def test_what_cannot_be_read_is_said_and_nothing_typed_is_lost(
    browser: Client, workflow: Workflow, written: str, said: str
) -> None:
    page = reverse("workflows:new-version", args=[workflow.agent_id])
    answer = browser.post(page, sent(written, rules="Be brief."))
    assert answer.status_code == 422
    assert said in answer.text
    assert "Be brief." in answer.text
    assert Workflow.objects.count() == 1


def test_two_versions_are_compared(browser: Client, workflow: Workflow) -> None:
    changed = sound()
    changed["nodes"][1]["properties"]["method"] = "DELETE"
    changed["nodes"].append(node("tell", "url", is_start_node=False))
    later = WorkflowFactory(agent=workflow.agent, parent=workflow, graph=changed, rules="Be <b>brief</b>.")
    page = reverse("workflows:compare", args=[workflow.agent_id])
    shown = browser.get(page).text
    for part in ("properties.method", "<del>GET</del>", "<ins>DELETE</ins>", "Tell", "+Be &lt;b&gt;brief"):
        assert part in shown
    same = browser.get(page, {"before": str(later.pk), "after": str(later.pk)})
    assert "They are the same." in same.text
    assert browser.get(page, {"before": str(WorkflowFactory().pk)}).status_code == 404
    assert browser.get(page, {"before": "x"}).status_code == 404


def test_versions_beyond_those_offered_are_compared_and_stand_chosen(
    browser: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "MOST_CHOICES", 1)
    second, _ = WorkflowFactory(agent=workflow.agent), WorkflowFactory(agent=workflow.agent)
    ends = {"before": str(workflow.pk), "after": str(second.pk)}
    shown = browser.get(reverse("workflows:compare", args=[workflow.agent_id]), ends).text
    for version in (workflow, second):
        assert f'<option value="{version.pk}" selected>' in shown


def test_a_draft_is_deleted_once_its_name_is_typed(browser: Client, workflow: Workflow) -> None:
    page = reverse("workflows:delete-version", args=[workflow.agent_id, workflow.pk])
    assert page in browser.get(reverse("workflows:version", args=[workflow.agent_id, workflow.pk])).text
    assert browser.post(page, {"name": "Draft"}).status_code == 422
    browser.post(page, {"name": str(workflow)})
    assert not Workflow.objects.exists()


def test_what_was_published_or_has_run_cannot_be_deleted(browser: Client, workflow: Workflow) -> None:
    execution(workflow)
    page = reverse("workflows:delete-version", args=[workflow.agent_id, workflow.pk])
    assert page not in browser.get(reverse("workflows:version", args=[workflow.agent_id, workflow.pk])).text
    assert "It stays" in browser.get(page).text
    assert browser.post(page, {"name": str(workflow)}).status_code == 422
    assert Workflow.objects.exists()


def test_who_published_and_rolled_back_what_is_listed(browser: Client, person: User, workflow: Workflow) -> None:
    later = WorkflowFactory(agent=workflow.agent, parent=workflow)
    for version in (workflow, later, workflow):
        browser.post(reverse("workflows:publish", args=[workflow.agent_id, version.pk]))
    page = browser.get(reverse("workflows:publications", args=[workflow.agent_id]))
    told = [(str(row.workflow), row.is_rollback, row.published_by) for row in page.context["page"].rows]
    assert told == [("Version 1", True, person), ("Version 2", False, person), ("Version 1", False, person)]
    assert "Rolled back to" in page.text
    versions = browser.get(reverse("workflows:versions", args=[workflow.agent_id])).text
    assert (
        f'data-label="Made from"><a href="{reverse("workflows:version", args=[later.agent_id, workflow.pk])}"'
        in versions
    )


def test_a_released_agents_versions_are_published_by_those_in_charge(
    browser: Client, person: User, workflow: Workflow
) -> None:
    """Others may propose a draft, try it, and take their own away."""
    Agent.objects.update(stage=Stage.RELEASED, created_by=None)
    where = [workflow.agent_id, workflow.pk]
    browser.post(reverse("workflows:new-version", args=[workflow.agent_id]), sent(sound()))
    own = Workflow.objects.exclude(pk=workflow.pk).get()
    shown = browser.get(reverse("workflows:version", args=where)).text
    assert ">Publish<" not in shown
    assert "its creator and admins publish" in shown
    assert reverse("workflows:delete-version", args=where) not in shown
    assert browser.post(reverse("workflows:publish", args=where)).status_code == 403
    assert browser.post(reverse("workflows:delete-version", args=where), {"name": str(workflow)}).status_code == 422
    browser.post(reverse("workflows:delete-version", args=[own.agent_id, own.pk]), {"name": str(own)})
    assert Workflow.objects.get() == workflow
    Membership.objects.filter(user=person).update(role=Role.ADMIN)
    browser.post(reverse("workflows:publish", args=where))
    assert default_version(workflow.agent_id) == workflow


@given(parts=sound_graphs())
def test_no_box_of_a_picture_lies_on_another(parts: dict[str, Any]) -> None:
    drawing = draw(Graph.model_validate(parts))
    assert len(drawing.boxes) == len(parts["nodes"])
    assert len(drawing.lines) == len(parts["transitions"])
    for one, other in combinations(drawing.boxes, 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    assert all(0 <= box.x <= drawing.width - WIDTH and 0 <= box.y <= drawing.height - HEIGHT for box in drawing.boxes)


def test_an_agents_page_leads_to_its_versions(browser: Client, workflow: Workflow) -> None:
    shown = browser.get(reverse("agents:agent", args=[workflow.agent_id])).text
    assert f'href="{reverse("workflows:versions", args=[workflow.agent_id])}">Workflows</a>' in shown


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
