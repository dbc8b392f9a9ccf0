"""Files of executions: given when one is started and while it runs, shared with its agent, reached by links."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from agents_hub.files import content
from agents_hub.models import SharedFile, StagedFile
from agents_hub.services import shared_files, staged_files
from agents_hub.services.quota import used_bytes
from tests.agents_hub.api.door import fault, read, rest
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.file_storage import keep_files_in
from tests.workflows.factories import WorkflowFactory
from tests.workflows.graphs import graph, node, way
from workflows.engine import admission, sharing
from workflows.engine.moves import NodeResult
from workflows.engine.run import drive
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held
from workflows.engine.work import Work
from workflows.models import Directory, Execution, ExecutionFile, Workflow
from workflows.nodes import kinds
from workflows.services import executions, files, wishes

pytestmark = pytest.mark.django_db
GRAPH = graph(node("work", "url"), node("end", "output"), way("work", "end", "outcome_success"))


@pytest.fixture(autouse=True)
def _alone(unwatched: None, settings: Settings, tmp_path: Path) -> None:
    """A folder of the test's own; and no watch, whose connection does not see a test's transaction."""
    keep_files_in(tmp_path, settings)


@pytest.fixture
def workflow() -> Workflow:
    made: Workflow = WorkflowFactory(agent=AgentFactory(), graph=GRAPH)
    return made


@pytest.fixture
def caller(workflow: Workflow) -> Caller:
    return caller_for(member_of(workflow.agent.organization))


@pytest.fixture
def during(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Work], Any]], None]:
    """Has nodes of type `url` do what the test says."""

    def use(act: Callable[[Work], Any]) -> None:
        def carry_out(work: Work) -> NodeResult:
            act(work)
            return NodeResult()

        monkeypatch.setitem(kinds._kinds, "url", carry_out)

    use(lambda work: None)
    return use


def text(name: str, said: str) -> "ContentFile[bytes]":
    return ContentFile(said.encode(), name=name)


def started(caller: Caller, workflow: Workflow, **options: Any) -> Execution:
    execution = executions.start(caller, workflow=workflow, inputs={}, **options)
    admission.admit()
    return execution


def said_by(file: ExecutionFile | SharedFile) -> str:
    with content.storage().open(file.storage_name) as opened:
        said: bytes = opened.read()
    return said.decode()


def test_staged_files_are_there_from_the_start(caller: Caller, workflow: Workflow) -> None:
    organization = workflow.agent.organization
    staged = staged_files.stage_files(
        caller, organization_id=organization.uid, files=[text("a.txt", "first"), text("b.txt", "second")]
    )
    chosen = [(staged[0].pk, ""), (staged[1].pk, "../renamed.txt")]
    one, other = (started(caller, workflow, temp_files=chosen) for _ in range(2))
    StagedFile.objects.all().delete()
    for execution in (one, other):
        found = files.list_context_files(caller, execution_id=execution.pk)
        assert [(file.path, said_by(file)) for file in found] == [
            ("uploads/a.txt", "first"),
            ("uploads/renamed.txt", "second"),
        ]
        assert [line.type for line in execution.activities.order_by("number")] == ["file_added", "file_added"]


def test_a_staged_file_that_is_over_or_somebody_elses_starts_nothing(caller: Caller, workflow: Workflow) -> None:
    other = AgentFactory().organization
    foreign = staged_files.stage_files(
        caller_for(member_of(other)), organization_id=other.uid, files=[text("a.txt", "x")]
    )
    mine = staged_files.stage_files(caller, organization_id=workflow.agent.organization.uid, files=[text("a.txt", "x")])
    StagedFile.objects.filter(pk=mine[0].pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    for staged in (*foreign, *mine):
        with pytest.raises(NotFound):
            executions.start(caller, workflow=workflow, inputs={}, temp_files=[(staged.pk, "")])
    assert not Execution.objects.exists()


def test_a_running_execution_is_given_files_and_an_ended_one_is_not(caller: Caller, workflow: Workflow) -> None:
    execution = started(caller, workflow)
    key = rest(execution.runner)  # type: ignore[arg-type]
    given = key.send_file("POST", f"executions/{execution.pk}/context-files", "order.CSV", b"a,b\n1,2\n")
    assert "“order.CSV” given to the execution" in read(given)
    [shown] = read(key.get(f"executions/{execution.pk}/context-files"))
    assert (shown["filePath"], shown["fileExt"], shown["fileType"], shown["fileSize"]) == (
        "uploads/order.CSV",
        "csv",
        "text",
        8,
    )
    [added] = read(key.get(f"executions/{execution.pk}/activities"))
    assert added["payload"]["source"] == "upload"
    for link in (shown["signedUrl"], shown["downloadUrl"], added["payload"]["presignedUrl"]):
        assert b"".join(Client().get(link)) == b"a,b\n1,2\n"
    again = key.send_file("POST", f"executions/{execution.pk}/context-files", "order.CSV", b"other")
    assert fault(again)[0] == 409
    wishes.ask_status(caller, execution_id=execution.pk, status=Status.CANCELLED)
    late = key.send_file("POST", f"executions/{execution.pk}/context-files", "late.txt", b"late")
    assert fault(late) == (409, "The execution is cancelled and takes no more files.")
    assert used_bytes(execution.organization_id) == 8


def test_all_files_are_listed_by_directory_and_led_to(caller: Caller, workflow: Workflow) -> None:
    execution = started(caller, workflow)
    key = rest(execution.runner)  # type: ignore[arg-type]
    assert read(key.get(f"executions/{execution.pk}/files"))["lastUpdated"] is None
    [file] = files.upload_context_files(caller, execution_id=execution.pk, files=[text("a.txt", "first")])
    listed = read(key.get(f"executions/{execution.pk}/files"))
    assert [one["fileName"] for one in listed["directories"]["uploads"]] == ["a.txt"]
    assert listed["directories"]["debug"] is None
    for kind in ("context-files", "files", "debug-files"):
        answer = key.get(f"executions/{execution.pk}/{kind}/{file.pk}/download")
        assert answer.status_code == 302
        assert b"".join(Client().get(answer.headers["Location"])) == b"first"
    assert fault(key.get(f"executions/{execution.pk}/recording"))[0] == 404


def test_shared_files_are_there_and_what_was_changed_goes_back(
    caller: Caller,
    workflow: Workflow,
    during: Callable[[Callable[[Work], Any]], None],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    kept, frozen, _ = shared_files.upload_shared_files(
        caller,
        agent_id=workflow.agent_id,
        files=[text("kept.txt", "old"), text("frozen.txt", "as it was"), text("unchanged.txt", "same")],
    )
    shared_files.freeze_shared_file(caller, agent_id=workflow.agent_id, file_id=frozen.pk, is_frozen=True)
    seen: dict[str, str] = {}

    def act(work: Work) -> None:
        seen.update({file.path: said_by(file) for file in ExecutionFile.objects.filter(execution=work.id)})
        files.keep_file(work.held, directory=Directory.SHARED, file=text("kept.txt", "newer"))
        files.keep_file(work.held, directory=Directory.SHARED, file=text("added.txt", "more"))
        files.keep_file(work.held, directory=Directory.WORKSPACE, file=text("notes.txt", "mine alone"))
        with pytest.raises(Conflict, match="frozen"):
            files.keep_file(work.held, directory=Directory.SHARED, file=text("frozen.txt", "changed"))
        # Nothing is written back while it runs.
        assert SharedFile.objects.get(pk=kept.pk).version == 1

    during(act)
    execution = started(caller, workflow)
    with django_capture_on_commit_callbacks(execute=True):
        drive(execution.pk)
    assert Execution.objects.get(pk=execution.pk).status == "completed"
    assert seen == {"shared/kept.txt": "old", "shared/frozen.txt": "as it was", "shared/unchanged.txt": "same"}
    after = {file.name: file for file in SharedFile.objects.all()}
    assert {
        name: (said_by(file), file.version, file.last_modified_by_execution_id) for name, file in after.items()
    } == {
        "kept.txt": ("newer", 2, execution.pk),
        "frozen.txt": ("as it was", 1, None),
        "unchanged.txt": ("same", 1, None),
        "added.txt": ("more", 1, execution.pk),
    }
    # What the agent has and what the execution has of it is one content, and counts once.
    assert used_bytes(execution.organization_id) == sum(file.size for file in after.values()) + len("mine alone")
    # The next one finds what this one left; the old content is nobody's any more.
    during(
        lambda work: seen.update({file.path: said_by(file) for file in ExecutionFile.objects.filter(execution=work.id)})
    )
    drive(started(caller, workflow).pk)
    assert seen["shared/kept.txt"] == "newer"
    with pytest.raises(FileNotFoundError):
        said_by(kept)


def test_an_execution_keeps_what_it_found_whatever_people_do_to_the_shared_file(
    caller: Caller,
    workflow: Workflow,
    during: Callable[[Callable[[Work], Any]], None],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    [file] = shared_files.upload_shared_files(caller, agent_id=workflow.agent_id, files=[text("a.txt", "first")])
    execution = started(caller, workflow)
    during(lambda work: None)
    drive(execution.pk)
    with django_capture_on_commit_callbacks(execute=True):
        shared_files.replace_shared_file(
            caller, agent_id=workflow.agent_id, file_id=file.pk, files=[text("a.txt", "second")]
        )
        shared_files.delete_all_shared_files(caller, agent_id=workflow.agent_id)
    [own] = execution.files.all()
    assert said_by(own) == "first"
    with django_capture_on_commit_callbacks(execute=True):
        execution.delete()
    with pytest.raises(FileNotFoundError):
        said_by(own)


def test_what_a_lost_worker_did_not_write_back_the_sweep_does(
    caller: Caller,
    workflow: Workflow,
    during: Callable[[Callable[[Work], Any]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    execution = started(caller, workflow)
    during(lambda work: files.keep_file(work.held, directory=Directory.SHARED, file=text("a.txt", "found")))
    with monkeypatch.context() as patched:
        patched.setattr(sharing, "write_back", lambda execution_id: 0)
        drive(execution.pk)
    assert not SharedFile.objects.exists()
    assert sharing.write_back_what_was_left() == 1
    assert sharing.write_back_what_was_left() == 0
    assert said_by(SharedFile.objects.get()) == "found"


def test_a_worker_that_was_overtaken_writes_no_file(caller: Caller, workflow: Workflow) -> None:
    execution = started(caller, workflow)
    with pytest.raises(Fenced):
        files.keep_file(Held(execution.pk, 1, 1), directory=Directory.WORKSPACE, file=text("a.txt", "late"))
    assert not execution.files.exists()


def test_files_in_a_message_are_given_by_the_tool(caller: Caller, workflow: Workflow) -> None:
    from mcp_gateway.registry import registry

    execution = started(caller, workflow)
    tool = registry.find("platform", "executionContextFilesUpload")
    assert tool is not None
    sent = {"executionId": str(execution.pk), "files": [{"name": "a.json", "contentBase64": "e30="}]}
    tool.function(caller, tool.arguments.model_validate(sent))
    [file] = files.list_context_files(caller, execution_id=execution.pk)
    assert (file.mime_type, json.loads(said_by(file))) == ("application/json", {})
