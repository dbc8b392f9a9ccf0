"""Runs that are started with a key of shared files: they share those of the key, and none of the others."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import Conflict
from accounts.models import User
from agents_hub.files import content
from agents_hub.models import SharedFile
from agents_hub.services import shared_files
from tests.agents_hub.api.door import fault, read, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.file_storage import keep_files_in
from tests.pages import signed_in
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission
from workflows.engine.moves import NodeResult
from workflows.engine.run import drive
from workflows.engine.work import Work
from workflows.models import Directory, Execution, ExecutionFile, Workflow
from workflows.nodes import kinds
from workflows.services import executions, files
from workflows.services.versions import publish_version

pytestmark = pytest.mark.django_db
GRAPH = graph(node("work", "url"), node("end", "output"), way("work", "end", "outcome_success"))


class Worker:
    """Runs the workflow to its end, and says which shared files a run found. Each leaves what it was told to."""

    def __init__(self, caller: Caller, workflow: Workflow) -> None:
        self.caller, self.workflow = caller, workflow
        self.leaves: dict[str, str] = {}
        self.found: dict[str, str] = {}

    def carry_out(self, work: Work) -> NodeResult:
        shared = ExecutionFile.objects.filter(execution=work.id, directory=Directory.SHARED)
        self.found = {file.name: said_by(file) for file in shared}
        for name, said in self.leaves.items():
            files.keep_file(work.held, directory=Directory.SHARED, file=text(name, said))
        return NodeResult()

    def run(self, key: str | None, **leaves: str) -> dict[str, str]:
        """`leaves` are the contents by the names of files, without their ending."""
        self.leaves = {f"{name}.txt": said for name, said in leaves.items()}
        options = {} if key is None else {"sharedStorageKey": key}
        execution = executions.start(self.caller, workflow=self.workflow, inputs={}, options=options)
        admission.admit()
        assert drive(execution.pk)
        execution.refresh_from_db()
        assert execution.status == "completed", execution.failure
        return self.found


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, unwatched: None, settings: Settings, tmp_path: Path) -> Worker:
    """A folder of the test's own; and no watch, whose connection does not see a test's transaction."""
    keep_files_in(tmp_path, settings)
    workflow: Workflow = WorkflowFactory(agent=AgentFactory(), graph=GRAPH)
    made = Worker(caller_for(member_of(workflow.agent.organization)), workflow)
    monkeypatch.setitem(kinds._kinds, "url", made.carry_out)
    return made


def text(name: str, said: str) -> "ContentFile[bytes]":
    return ContentFile(said.encode(), name=name)


def said_by(file: ExecutionFile | SharedFile) -> str:
    with content.storage().open(file.storage_name) as opened:
        said: bytes = opened.read()
    return said.decode()


def test_runs_of_one_key_share_files_and_those_of_another_do_not(worker: Worker) -> None:
    assert worker.run("customer-7", notes="seven") == {}
    assert worker.run("customer-8", notes="eight") == {}
    assert worker.run(None, notes="common") == {}
    assert worker.run("customer-7", notes="seven again") == {"notes.txt": "seven"}
    assert worker.run("customer-7") == {"notes.txt": "seven again"}
    assert worker.run("customer-8") == {"notes.txt": "eight"}
    assert worker.run(None) == {"notes.txt": "common"}
    kept = SharedFile.objects.order_by("storage_key").values_list("storage_key", "version")
    assert list(kept) == [("", 1), ("customer-7", 2), ("customer-8", 1)]


def test_the_agents_common_files_are_not_there_for_a_key(worker: Worker) -> None:
    shared_files.upload_shared_files(worker.caller, agent_id=worker.workflow.agent_id, files=[text("a.txt", "all")])
    assert worker.run("customer-7") == {}
    assert worker.run("") == worker.run(None) == {"a.txt": "all"}


def test_the_same_key_of_another_agent_is_another_storage(worker: Worker) -> None:
    worker.run("customer-7", notes="seven")
    worker.workflow = WorkflowFactory(agent=AgentFactory(organization=worker.workflow.agent.organization), graph=GRAPH)
    assert worker.run("customer-7") == {}


def test_a_frozen_file_binds_runs_of_its_own_storage_alone(worker: Worker) -> None:
    worker.run(None, notes="common")
    file = SharedFile.objects.get()
    shared_files.freeze_shared_file(worker.caller, agent_id=file.agent_id, file_id=file.pk, is_frozen=True)
    worker.run("customer-7", notes="seven")
    assert said_by(SharedFile.objects.get(storage_key="customer-7")) == "seven"
    with pytest.raises(AssertionError, match="failed on our side"):
        worker.run(None, notes="changed")
    assert said_by(SharedFile.objects.get(storage_key="")) == "common"


def test_a_storage_has_room_of_its_own(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_files, "MOST_FILES", 1)
    worker.run("customer-7", notes="seven")
    agent_id = worker.workflow.agent_id
    shared_files.upload_shared_files(worker.caller, agent_id=agent_id, files=[text("a.txt", "all")])
    with pytest.raises(Conflict, match="more than 1 files"):
        shared_files.upload_shared_files(
            worker.caller, agent_id=agent_id, storage_key="customer-7", files=[text("b.txt", "one more")]
        )


def test_a_key_is_given_by_the_rest_api_and_its_files_are_the_executions(worker: Worker) -> None:
    worker.run("customer-7", notes="seven")
    publish_version(worker.caller, agent_id=worker.workflow.agent_id, workflow_id=worker.workflow.pk)
    key = rest(User.objects.get(pk=worker.caller.user_id))
    where = f"agents/{worker.workflow.agent_id}"
    sent = {"executionOptions": {"sharedStorageKey": "customer-7"}}
    started = read(key.ask("POST", f"{where}/execute", sent))["executionId"]
    admission.admit()
    worker.leaves = {}
    assert drive(Execution.objects.get(pk=started).pk)
    told = read(key.get(f"executions/{started}"))
    assert told["executionOptions"] == {"sharedStorageKey": "customer-7"}
    listed = read(key.get(f"executions/{started}/files"))["directories"]["shared"]
    assert [file["fileName"] for file in listed] == ["notes.txt"]
    # What an agent's shared files are without a key, its list says; one of a key is found by its id.
    assert read(key.get(f"{where}/shared-files")) == {"files": [], "totalSize": 0}
    file = SharedFile.objects.get()
    assert read(key.ask("PATCH", f"{where}/shared-files/{file.pk}/freeze", {"isFrozen": True}))["isFrozen"]
    too_long = {"executionOptions": {"sharedStorageKey": "k" * 201}}
    assert fault(key.ask("POST", f"{where}/execute", too_long))[0] == 400


def test_deleting_all_takes_one_storages_files(worker: Worker) -> None:
    worker.run("customer-7", notes="seven")
    worker.run(None, notes="common")
    assert shared_files.delete_all_shared_files(worker.caller, agent_id=worker.workflow.agent_id) == 1
    assert SharedFile.objects.get().storage_key == "customer-7"


def test_an_agents_page_shows_one_storage_at_a_time(worker: Worker) -> None:
    worker.run("customer 7&8", notes="seven")
    worker.run(None, plan="common")
    browser, page = signed_in(worker.caller), f"/dashboard/agents/{worker.workflow.agent_id}/"
    page = browser.get(page, follow=True).request["PATH_INFO"]
    shown = browser.get(page).text
    assert "plan.txt" in shown
    assert "notes.txt" not in shown
    assert "with the key customer 7&amp;8" in shown
    of_key: dict[str, Any] = {"query_params": {"storage": "customer 7&8"}}
    shown = browser.get(page, **of_key).text
    assert "notes.txt" in shown
    assert "plan.txt" not in shown
    added = browser.post(page, {"files": SimpleUploadedFile("more.txt", b"more")}, **of_key)
    assert added.headers["Location"] == f"{page}?storage=customer+7%268"
    assert SharedFile.objects.get(name="more.txt").storage_key == "customer 7&8"
    assert worker.run("customer 7&8") == {"notes.txt": "seven", "more.txt": "more"}


def test_the_page_of_a_run_gives_the_key_and_running_again_keeps_it(worker: Worker) -> None:
    browser, agent_id = signed_in(worker.caller), worker.workflow.agent_id
    run = f"/dashboard/workflows/agents/{agent_id}/{worker.workflow.pk}/run"
    assert browser.post(run, {"storage_key": "customer-7"}).status_code == 302
    execution = Execution.objects.get()
    assert execution.options == {"sharedStorageKey": "customer-7"}
    assert "storage=customer-7" in browser.get(f"/dashboard/workflows/executions/{execution.pk}/").text
    assert 'value="customer-7"' in browser.get(run, query_params={"again": str(execution.pk)}).text
