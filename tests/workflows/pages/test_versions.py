"""The pages of a workflow's versions: written, compared, published and deleted by a browser without scripts."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Membership, Role, User
from agents_hub.models import Agent, Stage
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, sound, way
from tests.workflows.pages.rows import execution
from workflows.models import Execution, Publication, Workflow
from workflows.pages import comparing
from workflows.services.versions import default_version

pytestmark = pytest.mark.django_db


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
        ('{"nodes": [], "colour": 1}', "colour: There is nothing of this name here"),
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


def test_the_first_version_is_offered_others_to_be_compared_with(browser: Client, workflow: Workflow) -> None:
    page = reverse("workflows:compare", args=[workflow.agent_id])
    assert "fewer than two versions" in browser.get(page, {"after": str(workflow.pk)}).text
    later = WorkflowFactory(agent=workflow.agent, parent=workflow)
    shown = browser.get(page, {"after": str(workflow.pk)}).text
    assert f"Nothing came before {workflow}" in shown
    assert f'<option value="{later.pk}"' in shown


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


def test_an_agents_page_leads_to_its_versions(browser: Client, workflow: Workflow) -> None:
    shown = browser.get(reverse("agents:agent", args=[workflow.agent_id])).text
    assert f'href="{reverse("workflows:versions", args=[workflow.agent_id])}">Workflows</a>' in shown
