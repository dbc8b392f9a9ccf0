"""What can be done with an execution's files: given by people, made by the agent, read by both."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import transaction

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from accounts.scopes import Scope
from agents_hub.files import content
from agents_hub.services import shared_files
from agents_hub.services.quota import make_room
from security import audit
from workflows.engine.activities import Line
from workflows.engine.states import Status
from workflows.engine.store import Fenced, Held
from workflows.models import Directory, Execution, ExecutionFile, Maker
from workflows.services.attaching import MOST_FILES, add_file, add_files, added_line, refuse_too_many
from workflows.services.executions import find_execution, lock_execution, require_execution, write_lines


def list_files(caller: Caller, *, execution_id: UUID) -> list[ExecutionFile]:
    """All of the execution's files, by directory and name."""
    execution = find_execution(caller, execution_id)
    return list(execution.files.order_by("directory", "name")[:MOST_FILES])


def list_context_files(caller: Caller, *, execution_id: UUID) -> list[ExecutionFile]:
    """Those that people gave it, in the order in which they did."""
    execution = find_execution(caller, execution_id)
    return list(execution.files.filter(directory=Directory.UPLOADS).order_by("id")[:MOST_FILES])


def find_file(caller: Caller, *, execution_id: UUID, file_id: UUID) -> ExecutionFile:
    caller.require(Scope.READ)
    file = ExecutionFile.objects.for_caller(caller).filter(execution_id=execution_id, pk=file_id).first()
    if file is None:
        raise NotFound("There is no such file of this execution in your organizations.")
    return file


def upload_context_files(caller: Caller, *, execution_id: UUID, files: "Sequence[File[Any]]") -> list[ExecutionFile]:
    """Give files to an execution that has not ended: all of them, or, where one cannot be, none."""
    caller.require(Scope.WRITE)
    require_execution(caller, execution_id)
    with content.keeping(files) as kept, transaction.atomic():
        execution = lock_execution(caller, execution_id)
        if execution.state.is_terminal:
            raise Conflict(f"The execution is {execution.status} and takes no more files.", code="status")
        added = add_files(execution, kept)
        _tell(execution, [added_line(file, "upload") for file in added])
        detail = {"files": [{"name": one.name, "size": one.size} for one in added]}
        audit.record("execution.upload", caller=caller, target=f"execution:{execution.pk}", detail=detail)
    return added


def keep_file(held: Held, *, directory: Directory, file: "File[Any]", created_by: Maker = Maker.AGENT) -> ExecutionFile:
    """Write a file of the execution that a worker holds, over one of the same name. Raises `Fenced` and `Conflict`.

    In `shared` it is written back when the execution has ended; what people froze there stays as it is.
    """
    with content.keeping([file]) as (kept,), transaction.atomic():
        execution = Execution.objects.select_for_update(no_key=True).get(pk=held.id)
        if execution.fence != held.fence or execution.state != Status.RUNNING:
            raise Fenced(f"Execution {held.id} is no longer held under fence {held.fence}.")
        is_shared = directory == Directory.SHARED
        if is_shared:
            _refuse_frozen(execution, kept.name)
        before = execution.files.filter(directory=directory, name=kept.name).first()
        owned_before = before.size if before is not None and not before.is_borrowed else 0
        make_room(execution.organization_id, kept.size - owned_before)
        if before is None:
            refuse_too_many(execution, 1)
            written = add_file(execution, directory, created_by, kept, is_to_be_shared=is_shared)
        else:
            content.forget_after_commit(before.storage_name)
            for field, value in kept.fields().items():
                setattr(before, field, value)
            before.created_by, before.is_borrowed, before.is_to_be_shared = created_by, False, is_shared
            before.save()
            written = before
        _tell(execution, [added_line(written, "download" if directory == Directory.DOWNLOADS else "agent")])
    return written


def _refuse_frozen(execution: Execution, name: str) -> None:
    if shared_files.is_frozen(execution.agent_id, execution.storage_key, name):
        raise Conflict(f"“{name}” is frozen: it can be read but not changed.", code="frozen")


def _tell(execution: Execution, lines: Iterable[Line]) -> None:
    write_lines(execution, list(lines))
    execution.save(update_fields=["activity_count"])
