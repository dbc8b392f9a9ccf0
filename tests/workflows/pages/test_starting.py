"""Starting runs by page, once and once more, and what people give and do to one that goes on."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from agents_hub.files.content import storage
from agents_hub.models import ProfilePool, StagedFile
from tests.agents_hub.factories import ProfileFactory
from tests.file_storage import keep_files_in
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node
from workflows.engine.states import Status
from workflows.models import Execution, ExecutionFile, Workflow

pytestmark = pytest.mark.django_db
GIVEN = {"input_order": "A-117", "input_shop": "Rope"}


@pytest.fixture(autouse=True)
def _stored_here(settings: Settings, tmp_path: Path) -> None:
    keep_files_in(tmp_path, settings)


def page_of(workflow: Workflow) -> str:
    return reverse("workflows:run", args=[workflow.agent_id, workflow.pk])


def file(name: str, content: bytes = b"a,b") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_run_is_given_its_inputs_and_repeated_with_them(browser: Client, workflow: Workflow) -> None:
    page = page_of(workflow)
    assert browser.post(page, {"input_order": "A-117"}).status_code == 422
    answer = browser.post(page, GIVEN | {"soft_timeout": "5"})
    first = Execution.objects.get()
    assert answer.headers["Location"] == reverse("workflows:execution", args=[first.pk])
    inputs, options = {"order": "A-117", "shop": "Rope"}, {"softTimeoutMins": 5}
    assert (first.inputs, first.options, first.trigger) == (inputs, options, "ui")
    Execution.objects.update(inputs={"order": 117, "shop": ["Rope", "Oil"]})
    again = f"{page}?again={first.pk}"
    form = browser.get(again).context["form"]
    browser.post(again, {"input_order": form["input_order"].initial, "input_shop": "Oil"})
    repeated = Execution.objects.exclude(pk=first.pk).get()
    assert (repeated.parent, repeated.inputs) == (first, {"order": 117, "shop": "Oil"})
    refused = browser.post(page, GIVEN | {"soft_timeout": "60"})
    assert (refused.status_code, list(refused.context["form"].errors)) == (422, ["soft_timeout"])
    assert "softTimeoutMins" not in refused.text


def test_files_pool_and_metadata_go_with_the_start(browser: Client, workflow: Workflow) -> None:
    pool = ProfilePool.objects.create(organization=workflow.agent.organization, name="Logins")
    profile = ProfileFactory(organization=pool.organization)
    pool.memberships.create(profile=profile)
    sent = {"pool_id": str(pool.pk), "metadata": '{"ticket": "8812"}', "files": [file("a.csv"), file("b.csv", b"")]}
    assert browser.post(page_of(workflow), GIVEN | sent).status_code == 302
    made = Execution.objects.get()
    assert (made.pool, made.profile, made.metadata) == (pool, profile, {"ticket": "8812"})
    assert [one.path for one in made.files.order_by("name")] == ["uploads/a.csv", "uploads/b.csv"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"metadata": "ticket"}, "not JSON"),
        ({"metadata": '{"ticket": 8812}'}, "valid string"),
        ({"profile_id": "other"}, "valid choice"),
    ],
    ids=["syntax", "number", "profile"],
)
def test_what_is_wrong_with_a_start_is_said_and_no_file_is_kept(
    browser: Client, workflow: Workflow, wrong: dict[str, str], said: str
) -> None:
    answer = browser.post(page_of(workflow), GIVEN | wrong | {"files": [file("a.csv"), file("b.csv")]})
    assert (answer.status_code, said in answer.text) == (422, True)
    assert answer.context["form"].errors["files"] == ["Choose the files again, they were not kept: a.csv, b.csv"]
    assert "files" not in browser.post(page_of(workflow), GIVEN | wrong).context["form"].errors
    assert not Execution.objects.exists()
    assert not StagedFile.objects.exists()


def test_a_run_is_repeated_as_it_was_started(browser: Client, workflow: Workflow) -> None:
    """Its pool and not the profile that it was given, its minutes, its key, its notes, its files."""
    pool = ProfilePool.objects.create(
        organization=workflow.agent.organization, name="Logins", allow_concurrent_use=True
    )
    for _ in range(2):
        pool.memberships.create(profile=ProfileFactory(organization=pool.organization))
    chosen = {"pool_id": str(pool.pk), "soft_timeout": "5", "storage_key": "kai", "metadata": '{"ticket": "8812"}'}
    browser.post(page_of(workflow), GIVEN | chosen | {"files": [file("a.csv", b"first"), file("b.csv")]})
    first = Execution.objects.get()
    again = f"{page_of(workflow)}?again={first.pk}"
    form = browser.get(again).context["form"]
    assert "a.csv, b.csv" in form["keep_files"].help_text
    as_shown = {name: field.initial for name, field in form.fields.items() if field.initial and name != "files"}
    assert (as_shown["pool_id"], "profile_id" in as_shown) == (pool.pk, False)
    browser.post(again, as_shown | {"keep_files": "on", "files": [file("c.csv")]})
    second = Execution.objects.exclude(pk=first.pk).get()
    assert (second.pool, second.options, second.metadata) == (first.pool, first.options, first.metadata)
    assert [one.name for one in second.files.order_by("name")] == ["a.csv", "b.csv", "c.csv"]
    # The same content under a second name: it stays when the first one goes.
    first.delete()
    with storage().open(ExecutionFile.objects.get(name="a.csv").storage_name) as content:
        assert content.read() == b"first"


def test_without_the_tick_a_repeated_run_has_no_files(browser: Client, workflow: Workflow) -> None:
    browser.post(page_of(workflow), GIVEN | {"files": [file("a.csv")]})
    first = Execution.objects.get()
    browser.post(f"{page_of(workflow)}?again={first.pk}", GIVEN)
    assert not Execution.objects.exclude(pk=first.pk).get().files.exists()


def test_a_file_of_a_name_that_is_there_already_is_said_under_its_field(browser: Client, workflow: Workflow) -> None:
    browser.post(page_of(workflow), GIVEN | {"files": [file("a.csv")]})
    again = f"{page_of(workflow)}?again={Execution.objects.get().pk}"
    answer = browser.post(again, GIVEN | {"keep_files": "on", "files": [file("a.csv")]})
    assert answer.status_code == 422
    assert "a file named “a.csv” already" in str(answer.context["form"].errors["files"])


def test_files_are_given_to_a_run_while_it_has_not_ended(browser: Client, workflow: Workflow) -> None:
    row: Execution = ExecutionFactory(workflow=workflow, status=Status.RUNNING)
    page, upload = reverse("workflows:execution", args=[row.pk]), reverse("workflows:upload", args=[row.pk])
    assert upload in browser.get(page).text
    assert browser.post(upload, {"files": [file("a.csv"), file("b.csv")]}).headers["Location"] == page
    assert row.files.count() == 2
    assert "2 files are given to the execution" in browser.get(page).text
    assert browser.post(upload, {}).status_code == 422
    Execution.objects.update(status=Status.COMPLETED, terminal_at=row.created_at)
    assert upload not in browser.get(page).text
    assert "It has ended" in browser.get(upload).text
    assert browser.post(upload, {"files": [file("c.csv")]}).status_code == 422


def test_a_run_is_pointed_at_another_version(browser: Client, workflow: Workflow) -> None:
    later = WorkflowFactory(agent=workflow.agent, parent=workflow)
    faulty = WorkflowFactory(agent=workflow.agent, graph=graph(node("read")))
    row: Execution = ExecutionFactory(workflow=workflow, status=Status.PAUSED, inputs={"order": 1, "shop": "Rope"})
    page, sync = reverse("workflows:execution", args=[row.pk]), reverse("workflows:sync", args=[row.pk])
    assert sync in browser.get(page).text
    refused = browser.post(sync, {"workflow_id": str(faulty.pk)})
    assert (refused.status_code, "never ends" in refused.text) == (422, True)
    assert browser.post(sync, {"workflow_id": str(WorkflowFactory().pk)}).status_code == 422
    assert browser.post(sync, {"workflow_id": str(later.pk)}).headers["Location"] == page
    row.refresh_from_db()
    assert row.sync_to == later
    assert f"continues with {later} at its next step" in browser.get(page).text


def test_no_more_files_than_an_execution_may_have_are_counted_once(
    browser: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.services.attaching.MOST_FILES", 2)
    sent = {"files": [file("a.csv"), file("b.csv"), file("c.csv")]}
    answer = browser.post(page_of(workflow), GIVEN | sent)
    assert (answer.status_code, "more than 2 files" in answer.text) == (422, True)
    assert not Execution.objects.exists()
    row: Execution = ExecutionFactory(workflow=workflow)
    assert browser.post(reverse("workflows:upload", args=[row.pk]), {"files": [file("a.csv")]}).status_code == 302
    sent = {"files": [file("b.csv"), file("c.csv")]}
    assert browser.post(reverse("workflows:upload", args=[row.pk]), sent).status_code == 422
    assert [one.name for one in row.files.all()] == ["a.csv"]
