"""What can be done with the files that an agent's executions share.

A frozen file binds the agent: an execution can neither replace nor delete it, people can.

An agent has one common storage, and one for each key that executions were started with. What lists, adds or deletes all
speaks of one storage; a file by its id is found in any.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.db import IntegrityError, transaction

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from agents_hub.files import content
from agents_hub.files.content import Kept
from agents_hub.files.links import Claim
from agents_hub.models import Agent, SharedFile
from agents_hub.models.files import StoredContent, kinds_of_files
from agents_hub.services.agents import find_agent
from agents_hub.services.quota import make_room
from dashboard.numbered_pages import NumberedPage, numbered, ordering
from security import audit

# What one storage may have: enough to work with, and a bound on what one answer lists.
MOST_FILES = 500
# The storage of executions that name none.
COMMON = ""
LONGEST_KEY = 200


def list_shared_files(caller: Caller, *, agent_id: UUID, storage_key: str = COMMON) -> list[SharedFile]:
    """The storage's files by name."""
    caller.require(Scope.READ)
    return list(find_agent(caller, agent_id).shared_files.filter(storage_key=storage_key).order_by("name"))


def list_storage_keys(caller: Caller, *, agent_id: UUID, most: int) -> list[str]:
    """The keys under which the agent has files, in their order, at most so many."""
    caller.require(Scope.READ)
    keys = find_agent(caller, agent_id).shared_files.exclude(storage_key=COMMON).order_by("storage_key")
    return list(keys.values_list("storage_key", flat=True).distinct()[:most])


def page_of_shared_files(
    caller: Caller,
    *,
    agent_id: UUID,
    storage_key: str = COMMON,
    sort_field: str = "name",
    sort_direction: str = "asc",
    page: int = 1,
    page_size: int = 25,
) -> NumberedPage[SharedFile]:
    """The same a page at a time. A storage has no more than `MOST_FILES`, so any order is a short sort."""
    caller.require(Scope.READ)
    files = find_agent(caller, agent_id).shared_files.filter(storage_key=storage_key)
    return numbered(files, order=ordering(sort_field, sort_direction), number=page, size=page_size)


def find_shared_file(caller: Caller, *, agent_id: UUID, file_id: UUID) -> SharedFile:
    caller.require(Scope.READ)
    return _found(caller, agent_id, file_id)


def claimed_file(claim: Claim) -> StoredContent:
    """The file of a link, of whatever kind, where the person it was made for still belongs to its organization."""
    rows = kinds_of_files()[claim.kind].for_caller(Caller.system(claim.user_id))
    file: StoredContent | None = rows.filter(pk=claim.file_id).first()
    if file is None:
        raise NotFound("There is no file at this address.")
    return file


def upload_shared_files(
    caller: Caller,
    *,
    agent_id: UUID,
    files: "Sequence[File[Any]]",
    storage_key: str = COMMON,
    execution_id: UUID | None = None,
) -> list[SharedFile]:
    """Add files: all of them, or, where one cannot be, none."""
    caller.require(Scope.WRITE)
    if len(storage_key) > LONGEST_KEY:
        raise Invalid(f"The storage's key is longer than {LONGEST_KEY} characters.", data={"field": "files"})
    agent = find_agent(caller, agent_id)
    with content.keeping(files) as kept, transaction.atomic():
        make_room(agent.organization_id, sum(one.size for one in kept))
        if agent.shared_files.filter(storage_key=storage_key).count() + len(kept) > MOST_FILES:
            raise Conflict(f"“{agent.name}” would have more than {MOST_FILES} files. Delete some.", code="too_many")
        added = [_add(agent, storage_key, one, execution_id) for one in kept]
        detail = {"files": [{"name": one.name, "size": one.size} for one in added], "storage": storage_key}
        audit.record("shared_file.upload", caller=caller, target=f"agent:{agent.pk}", detail=detail)
    return added


def replace_shared_file(
    caller: Caller, *, agent_id: UUID, file_id: UUID, files: "Sequence[File[Any]]", execution_id: UUID | None = None
) -> SharedFile:
    """Put one file's content in the place of another's, under the name that it has. Its version rises by one."""
    caller.require(Scope.WRITE)
    if len(files) != 1:
        raise Invalid(f"{len(files)} files were sent. Send exactly one.", data={"field": "files"})
    agent = find_agent(caller, agent_id)
    with content.keeping(files) as (kept,), transaction.atomic():
        file = _locked(caller, agent_id, file_id)
        _allow(file, execution_id)
        make_room(agent.organization_id, kept.size - file.size)
        content.forget_after_commit(file.storage_name)
        for field, value in kept.fields().items():
            if field != "name":
                setattr(file, field, value)
        file.version += 1
        file.last_modified_by_execution_id = execution_id
        file.save()
        _record(caller, "shared_file.replace", file, version=file.version)
    return file


def delete_shared_file(caller: Caller, *, agent_id: UUID, file_id: UUID, execution_id: UUID | None = None) -> None:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        file = _locked(caller, agent_id, file_id)
        _allow(file, execution_id)
        _record(caller, "shared_file.delete", file)
        file.delete()


def delete_all_shared_files(caller: Caller, *, agent_id: UUID, storage_key: str = COMMON) -> int:
    """Delete all files of one storage of an agent, frozen ones as well. Returns how many there were."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        agent = find_agent(caller, agent_id)
        _, deleted = agent.shared_files.filter(storage_key=storage_key).delete()
        count = deleted.get(SharedFile._meta.label, 0)
        detail = {"count": count, "storage": storage_key}
        audit.record("shared_file.delete_all", caller=caller, target=f"agent:{agent.pk}", detail=detail)
    return count


def freeze_shared_file(caller: Caller, *, agent_id: UUID, file_id: UUID, is_frozen: bool) -> SharedFile:
    """Keep the agent from changing a file, or let it again."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        file = _locked(caller, agent_id, file_id)
        file.is_frozen = is_frozen
        file.save(update_fields=["is_frozen", "updated_at"])
        _record(caller, "shared_file.freeze" if is_frozen else "shared_file.unfreeze", file)
    return file


def is_frozen(agent_id: UUID, storage_key: str, name: str) -> bool:
    """Whether the storage has a file of that name that executions may not change."""
    return SharedFile.objects.filter(agent_id=agent_id, storage_key=storage_key, name=name, is_frozen=True).exists()


def write_back(agent_id: UUID, storage_key: str, fields: Mapping[str, Any], *, execution_id: UUID) -> SharedFile | None:
    """Put what an execution made of a shared file in its place, or add it; nothing where that may not be.

    `fields` name content that the caller holds and that counts already. Within the caller's transaction; no person asks
    for this, so none is looked for.
    """
    storage = SharedFile.objects.filter(agent_id=agent_id, storage_key=storage_key)
    rows = storage.select_for_update()
    file = rows.filter(name=fields["name"]).first()
    if file is None:
        if storage.count() >= MOST_FILES:
            return None
        try:
            with transaction.atomic():
                file = SharedFile.objects.create(
                    agent_id=agent_id,
                    storage_key=storage_key,
                    last_modified_by_execution_id=execution_id,
                    **fields,
                )
        except IntegrityError:  # somebody added one of that name meanwhile
            file = rows.get(name=fields["name"])
        else:
            _record(None, "shared_file.write_back", file, version=file.version, execution=str(execution_id))
            return file
    if file.is_frozen:
        return None
    if file.sha256 != fields["sha256"]:
        content.forget_after_commit(file.storage_name)
        for field, value in fields.items():
            setattr(file, field, value)
        file.version += 1
        file.last_modified_by_execution_id = execution_id
        file.save()
        _record(None, "shared_file.write_back", file, version=file.version, execution=str(execution_id))
    return file


def _add(agent: Agent, storage_key: str, kept: Kept, execution_id: UUID | None) -> SharedFile:
    fields = {"storage_key": storage_key, "last_modified_by_execution_id": execution_id, **kept.fields()}
    try:
        with transaction.atomic():
            return SharedFile.objects.create(agent=agent, **fields)
    except IntegrityError:
        raise Conflict(
            f"“{agent.name}” has a file named “{kept.name}” already. Replace that one, or choose another name.",
            code="name_taken",
            data={"field": "files"},
        ) from None


def _found(caller: Caller, agent_id: UUID, file_id: UUID, *, lock: bool = False) -> SharedFile:
    rows = SharedFile.objects.for_caller(caller).filter(agent_id=agent_id, pk=file_id)
    file = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if file is None:
        raise NotFound("There is no such file of this agent in your organizations. agentSharedFilesGet lists them.")
    return file


def _locked(caller: Caller, agent_id: UUID, file_id: UUID) -> SharedFile:
    return _found(caller, agent_id, file_id, lock=True)


def _allow(file: SharedFile, execution_id: UUID | None) -> None:
    if file.is_frozen and execution_id is not None:
        raise Conflict(f"“{file.name}” is frozen: the agent can read it but not change it.", code="frozen")


def _record(caller: Caller | None, action: str, file: SharedFile, **detail: object) -> None:
    audit.record(action, caller=caller, target=f"shared_file:{file.pk}", detail={"name": file.name, **detail})
