"""The content of files in the storage: written before its row, removed after its row is certainly gone.

So no row names content that is not there. What a crash leaves between the two is content that no row names, and the
sweep takes that away. Several rows may name the same content: it goes with the last of them. Whoever makes a row name
what another names holds that other row until it commits, so that the last one cannot go meanwhile.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import islice
from typing import Any
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.utils import timezone

from accounts.errors import Invalid, Unavailable
from agents_hub.files import names, types
from agents_hub.models.files import StoredContent, kinds_of_files

logger = logging.getLogger(__name__)

MIB = 1_048_576
LARGEST_BYTES = 50 * MIB
MOST_AT_ONCE = 20
# What a form puts around its files, and the fields beside them.
FRAMING_BYTES = MIB
LONGEST_REQUEST_BYTES = MOST_AT_ONCE * LARGEST_BYTES + FRAMING_BYTES
LONGEST_REPLACEMENT_BYTES = LARGEST_BYTES + FRAMING_BYTES
# Longer than any transaction lives: younger content may have its row yet to come.
ORPHAN_AGE = timedelta(hours=2)
SHELVES = [f"{number:02x}" for number in range(256)]
SWEEP_BATCH = 500


@dataclass(frozen=True, slots=True)
class Kept:
    """Content in the storage, with what its row says of it."""

    name: str
    mime_type: str
    size: int
    sha256: str
    storage_name: str

    def fields(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "mime_type": self.mime_type,
            "size": self.size,
            "sha256": self.sha256,
            "storage_name": self.storage_name,
        }


def storage() -> Storage:
    return storages["files"]


@contextmanager
def keeping(files: "Sequence[File[Any]]") -> Iterator[list[Kept]]:
    """The files' content, written; what happens inside makes the rows. Where that fails, nothing stays."""
    _check(files)
    kept: list[Kept] = []
    try:
        for file in files:
            kept.append(_keep(file))
        yield kept
    except BaseException:  # a worker that is being stopped too
        for one in kept:
            _remove(one.storage_name)
        raise


def forget_after_commit(storage_name: str) -> None:
    """Remove content once it is certain that its row is gone, where no other names it."""
    transaction.on_commit(lambda: _remove_unnamed(storage_name), robust=True)


def forget_with_its_row(sender: type[StoredContent], instance: StoredContent, **kwargs: Any) -> None:
    """The receiver of a deleted row, however that came about."""
    forget_after_commit(instance.storage_name)


def sweep_orphans() -> int:
    """Remove content that no row names. Returns how much of it there was."""
    limit, removed = timezone.now() - ORPHAN_AGE, 0
    for shelf in SHELVES:
        names_there = iter(_on(shelf))
        while batch := list(islice(names_there, SWEEP_BATCH)):
            for name in set(batch) - _named(batch):
                if _is_older(name, limit):
                    _remove(name)
                    removed += 1
    return removed


def _check(files: "Sequence[File[Any]]") -> None:
    if not files:
        raise Invalid("No file was sent. Send at least one.", data={"field": "files"})
    if len(files) > MOST_AT_ONCE:
        raise Invalid(f"{len(files)} files at once are too many. Send at most {MOST_AT_ONCE}.", data={"field": "files"})
    for file in files:
        if file.size > LARGEST_BYTES:
            raise Invalid(
                f"“{names.clean(file.name)}” has {file.size / MIB:.1f} MB; a file has at most "
                f"{LARGEST_BYTES // MIB} MB.",
                code="too_large",
                data={"field": "files"},
            )


def _keep(file: "File[Any]") -> Kept:
    name = names.clean(file.name)
    digest = sha256()
    file.seek(0)
    sample = file.read(types.SAMPLE_BYTES)
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    unique = uuid4().hex
    place = f"{unique[:2]}/{unique}"
    try:
        stored = storage().save(place, file)
    except BaseException:  # as above: half of it may be there
        _remove(place)
        raise
    return Kept(name, types.sniff(sample, name), file.size, digest.hexdigest(), stored)


def _remove_unnamed(storage_name: str) -> None:
    if not _named([storage_name]):
        _remove(storage_name)


def _remove(storage_name: str) -> None:
    try:
        storage().delete(storage_name)
    except (OSError, Unavailable):
        logger.warning("The content %s could not be removed; the sweep will.", storage_name, exc_info=True)


def _is_older(name: str, limit: datetime) -> bool:
    try:
        return storage().get_modified_time(name) < limit
    except FileNotFoundError:  # it went between the listing and now, with its row
        return False


def _on(shelf: str) -> list[str]:
    try:
        _, files = storage().listdir(shelf)
    except FileNotFoundError:
        return []
    return [f"{shelf}/{name}" for name in files]


def _named(batch: list[str]) -> set[str]:
    names: set[str] = set()
    for rows in kinds_of_files().values():
        names.update(rows.filter(storage_name__in=batch).values_list("storage_name", flat=True))
    return names
