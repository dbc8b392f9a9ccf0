"""AI tasks and the execution's files: listed, read in pieces and by lines, written without secrets."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.files import content
from llm.turns import Answer, Question, Returned
from tests.file_storage import keep_files_in
from tests.workflows.factories import ExecutionFileFactory
from tests.workflows.graphs import way
from tests.workflows.tasks import END, call, done, failures, on, started, task
from workflows.engine.states import Status
from workflows.models import Execution, ExecutionFile
from workflows.services import files as service
from workflows.task import files
from workflows.task.loop import Task

pytestmark = pytest.mark.django_db
TOOLS = ("file_list", "file_read", "read_file", "file_stage")


@pytest.fixture(autouse=True)
def _alone(unwatched: None, settings: Settings, tmp_path: Path) -> None:
    """A folder of the test's own; and no watch, whose connection does not see a test's transaction."""
    keep_files_in(tmp_path, settings)


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What the actions gave the model, one after the other."""
    results: list[Any] = []
    ask = Task.ask

    async def note(self: Task, question: Question) -> Answer:
        last = question.history[-1]
        results.extend(result.content for result in last.results) if isinstance(last, Returned) else None
        return await ask(self, question)

    monkeypatch.setattr(Task, "ask", note)
    return results


def working(*lines: dict[str, Any], **options: Any) -> tuple[Caller, Execution]:
    return started(task("work", *lines, done(), tools=TOOLS, words="Use TOKEN."), END, way("work", "end"), **options)


def uploaded(caller: Caller, execution: Execution, name: str, raw: bytes) -> None:
    service.upload_context_files(caller, execution_id=execution.pk, files=[ContentFile(raw, name=name)])


def test_all_files_are_listed(given: list[Any]) -> None:
    _, execution = working(call("file_list", directory="uploads"))
    ExecutionFileFactory.create_batch(201, execution=execution)
    on(execution)
    assert len(given[0]) == 201


def test_a_file_is_read_in_pieces_that_cut_no_character(given: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PIECE", 4)
    pieces = [call("file_read", path="uploads/tea.txt", offset=offset) for offset in (0, 3, 6)]
    caller, execution = working(call("file_list"), *pieces)
    uploaded(caller, execution, "tea.txt", "téé 茶".encode())
    on(execution)
    listed, *read = given
    assert listed == [{"path": "uploads/tea.txt", "size": 9, "mimeType": "text/plain"}]
    assert read == [
        {"text": "té", "size": 9, "nextOffset": 3},
        {"text": "é ", "size": 9, "nextOffset": 6},
        {"text": "茶", "size": 9},
    ]


@pytest.mark.parametrize("offset", range(14))
def test_wherever_a_piece_begins_and_ends_it_shows_no_part_of_a_secret(
    given: list[Any], monkeypatch: pytest.MonkeyPatch, offset: int
) -> None:
    monkeypatch.setattr(files, "PIECE", 6)
    caller, execution = working(
        call("file_read", path="uploads/keys.txt", offset=offset), secrets={"TOKEN": "Ünsichtbar"}
    )
    uploaded(caller, execution, "keys.txt", "é=Ünsichtbar.".encode())
    on(execution)
    [read] = given
    if not isinstance(read, dict):  # it began within a character
        assert "is not text" in read
        return
    assert "${secret.TOKEN}" in read["text"] or offset > 13
    assert set(read["text"].replace("${secret.TOKEN}", "")) <= set("é=.")


def test_lines_are_read_with_their_numbers(given: list[Any]) -> None:
    caller, execution = working(call("read_file", path="uploads/list.txt", first=2, count=2))
    uploaded(caller, execution, "list.txt", b"one\ntwo\nthree\nfour\n")
    on(execution)
    assert given == ["2\ttwo\n3\tthree\n[4 lines in all.]"]


def test_what_is_no_text_or_not_there_is_said_to_be_so() -> None:
    calls = [call("file_read", path="uploads/x.bin"), call("file_read", path="debug/log.txt")]
    caller, execution = working(*calls)
    uploaded(caller, execution, "x.bin", b"\xff\xfe\x00\x01" * 10)
    on(execution)
    assert failures(execution) == [
        "“uploads/x.bin” is not text in UTF-8.",
        "There is no file debug/log.txt. file_list names those there are.",
    ]


def test_a_file_is_written_over_and_holds_no_secret(given: list[Any]) -> None:
    calls = [call("file_stage", name="notes.txt", content=text) for text in ("first", "second, with s3cr3t-value")]
    _, execution = working(*calls, secrets={"TOKEN": "s3cr3t-value"})
    assert on(execution).state == Status.COMPLETED
    file = ExecutionFile.objects.get(execution=execution)
    with content.storage().open(file.storage_name) as stored:
        assert stored.read() == b"second, with ${secret.TOKEN}"
    assert given[-1] == {"path": "workspace/notes.txt", "size": 28}


def test_a_file_whose_content_is_gone_is_told_of(given: list[Any]) -> None:
    caller, execution = working(*(call(name, path="uploads/a.txt") for name in ("file_read", "read_file")))
    uploaded(caller, execution, "a.txt", b"a")
    content.storage().delete(ExecutionFile.objects.get().storage_name)
    assert on(execution).state == Status.COMPLETED
    assert failures(execution) == ["The content of “uploads/a.txt” is no longer there."] * 2
