"""The agent's shared files in an execution: there from its beginning, and written back once it has ended.

An execution has those of the storage it was started for (`executionOptions.sharedStorageKey`), else the common ones, as
they were when it was first taken up. What it changed goes back after its end is committed, however it ended;
`is_to_be_shared` stays until that is done, so that the sweep does what a lost worker did not.
"""

import logging
from uuid import UUID

from django.db import transaction

from agents_hub.models import SharedFile
from agents_hub.services import shared_files
from workflows.models import Directory, Execution, ExecutionFile, Maker

logger = logging.getLogger(__name__)

BATCH = 100
FIELDS = ("name", "mime_type", "size", "sha256", "storage_name")


def restore(execution: Execution) -> None:
    """Give the execution its agent's shared files. Done again, it adds nothing: those that are there stay as they are.

    The rows are held meanwhile: content that an execution is about to name is not removed.
    """
    shared = SharedFile.objects.filter(agent_id=execution.agent_id, storage_key=execution.storage_key)
    if not shared.exists():
        return
    with transaction.atomic():
        ExecutionFile.objects.bulk_create(
            (
                ExecutionFile(
                    execution_id=execution.pk,
                    organization_id=execution.organization_id,
                    directory=Directory.SHARED,
                    created_by=Maker.SYSTEM,
                    is_borrowed=True,
                    **{field: getattr(file, field) for field in FIELDS},
                )
                for file in shared.select_for_update(no_key=True).order_by("name")
            ),
            ignore_conflicts=True,
        )


def write_back(execution_id: UUID) -> int:
    """Put what an ended execution changed in the place of the shared files, or beside them; how many."""
    changed = ExecutionFile.objects.filter(execution_id=execution_id, is_to_be_shared=True)
    if not changed.exists():
        return 0
    written = 0
    with transaction.atomic():
        # Whoever does the same beside us finds nothing left to do.
        files = changed.filter(execution__terminal_at__isnull=False).select_for_update(of=("self",))
        for file in files.select_related("execution").order_by("name"):
            fields = {field: getattr(file, field) for field in FIELDS}
            execution = file.execution
            shared = shared_files.write_back(
                execution.agent_id, execution.storage_key, fields, execution_id=execution_id
            )
            if shared is None:
                logger.warning(
                    "“%s” of execution %s was not written back: frozen, or too many", file.name, execution_id
                )
            written += shared is not None
            file.is_to_be_shared = False
            file.is_borrowed = shared is not None and shared.storage_name == file.storage_name
            file.save(update_fields=["is_to_be_shared", "is_borrowed"])
    return written


def write_back_what_was_left() -> int:
    """Share the files of executions whose worker was lost between their end and `write_back`; returns how many."""
    left = ExecutionFile.objects.filter(is_to_be_shared=True, execution__terminal_at__isnull=False)
    ended = left.order_by("execution_id").values_list("execution_id", flat=True).distinct()[:BATCH]
    return sum(write_back(execution_id) for execution_id in ended)
