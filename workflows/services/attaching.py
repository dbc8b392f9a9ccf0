"""The rows of an execution's files, and staged files made its own when it is started."""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, NotFound
from agents_hub.files import names
from agents_hub.files.content import Kept
from agents_hub.models import StagedFile
from agents_hub.services.quota import make_room
from agents_hub.services.staged_files import find_staged_files
from workflows.engine import activities
from workflows.engine.activities import Line
from workflows.models import Directory, Execution, ExecutionFile, Maker

# What one execution may have: enough to work with, and a bound on what one answer lists.
MOST_FILES = 1_000


def attach_staged(caller: Caller, execution: Execution, staged: Sequence[tuple[UUID, str]]) -> list[Line]:
    """Give staged files to an execution that is being started, each under the name beside its id.

    Returns what is to be told of it. They stay staged until their hour is over: several executions can take the same.
    """
    if not staged:
        return []
    found = find_staged_files(caller, file_ids=[file_id for file_id, _ in staged])
    if foreign := [file for file in found if file.organization_id != execution.organization_id]:
        raise NotFound(f"“{foreign[0].name}” was staged in another organization than the agent's. Stage it there.")
    # Held, so that their content is not removed before this execution names it.
    ids = [file.pk for file in found]
    held = StagedFile.objects.select_for_update(no_key=True).filter(pk__in=ids, expires_at__gt=timezone.now())
    # Read, for counting them would not hold them; in one order, as others do who take the same.
    if len(held.order_by("pk").values_list("pk", flat=True)) < len(set(ids)):
        raise NotFound("A staged file's hour is just over. Stage it again.")
    return _given(
        execution,
        [
            Kept(names.clean(name or file.name), file.mime_type, file.size, file.sha256, file.storage_name)
            for file, (_, name) in zip(found, staged, strict=True)
        ],
    )


def uploads_of(execution: Execution) -> list[ExecutionFile]:
    """The files that people gave it, by name."""
    return list(execution.files.filter(directory=Directory.UPLOADS).order_by("name")[:MOST_FILES])


def attach_again(execution: Execution, earlier: Execution) -> list[Line]:
    """Give the files that people gave an earlier execution to one that is being started. Returns what is to be told."""
    # Held, so that their content is not removed before this execution names it.
    files = earlier.files.filter(directory=Directory.UPLOADS).select_for_update(no_key=True).order_by("name")
    return _given(
        execution,
        [Kept(file.name, file.mime_type, file.size, file.sha256, file.storage_name) for file in files[:MOST_FILES]],
    )


def refuse_too_many(execution: Execution, new: int) -> None:
    """Raise `Conflict` where the execution, whose row is held or not yet seen, would have more files than one may."""
    if execution.files.count() + new > MOST_FILES:
        raise Conflict(f"The execution would have more than {MOST_FILES} files.", code="too_many")


def add_files(execution: Execution, given: Sequence[Kept]) -> list[ExecutionFile]:
    """What people give an execution: rows for content that is there already."""
    refuse_too_many(execution, len(given))
    make_room(execution.organization_id, sum(one.size for one in given))
    return [add_file(execution, Directory.UPLOADS, Maker.USER, one) for one in given]


def _given(execution: Execution, given: Sequence[Kept]) -> list[Line]:
    return [added_line(file, "upload") for file in add_files(execution, given)]


def add_file(
    execution: Execution, directory: Directory, created_by: Maker, kept: Kept, *, is_to_be_shared: bool = False
) -> ExecutionFile:
    """A row for content that is there already. That there is room for it was asked before."""
    try:
        with transaction.atomic():
            return ExecutionFile.objects.create(
                execution=execution,
                organization_id=execution.organization_id,
                directory=directory,
                created_by=created_by,
                is_to_be_shared=is_to_be_shared,
                **kept.fields(),
            )
    except IntegrityError:
        raise Conflict(
            f"The execution has a file named “{kept.name}” already. Choose another name.",
            code="name_taken",
            data={"field": "files"},
        ) from None


def added_line(file: ExecutionFile, source: activities.FileSource) -> Line:
    """The activity that tells of it."""
    return activities.file_added(
        file_id=file.pk, name=file.name, mime_type=file.mime_type, size=file.size, source=source
    )
