"""Files shared by an agent's executions: kept, replaced, frozen, deleted, bounded, and nobody else's."""

import threading
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound, PlanLimit, ScopeMissing
from accounts.scopes import Scope
from agents_hub.files import content
from agents_hub.models import Agent, SharedFile, StagedFile
from agents_hub.services import agents, quota, shared_files, staged_files
from agents_hub.services.quota import used_bytes
from agents_hub.tasks import delete_due_staged_files, remove_orphaned_content
from security import audit
from security.models import AuditEntry
from tests.agents_hub.factories import AgentFactory, member_of
from tests.agents_hub.files.conftest import BucketAtServer, Kept, sent
from tests.factories import caller_for
from tests.threads import SECONDS, at_once, fared, until_one_waits_for_a_lock

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["folder", "bucket"])
def folder(request: pytest.FixtureRequest) -> Kept:
    """Wherever content lies, the rules are the same."""
    place: Kept = request.getfixturevalue("disk" if request.param == "folder" else "bucket")
    return place


def upload(caller: Caller, agent: Agent, *files: "ContentFile[bytes]") -> list[SharedFile]:
    return shared_files.upload_shared_files(caller, agent_id=agent.pk, files=files or [sent()])


def test_a_file_is_kept_with_its_size_digest_and_type(caller: Caller, agent: Agent, folder: Kept) -> None:
    (file,) = upload(caller, agent)
    assert (file.name, file.size, file.mime_type, file.version) == ("tides.txt", 11, "text/plain", 1)
    assert file.sha256 == sha256(b"tide tables").hexdigest()
    assert folder.contents() == [b"tide tables"]
    assert "tides" not in str(folder.files()[0])
    assert shared_files.list_shared_files(caller, agent_id=agent.pk) == [file]
    assert AuditEntry.objects.get(action="shared_file.upload").detail["files"] == [{"name": "tides.txt", "size": 11}]


def test_when_one_file_cannot_be_added_none_is_and_nothing_stays(caller: Caller, agent: Agent, folder: Kept) -> None:
    upload(caller, agent)
    with pytest.raises(Conflict, match=r"tides\.txt"):
        upload(caller, agent, sent(b"new", "new.txt"), sent(b"again", "tides.txt"))
    assert [file.name for file in SharedFile.objects.all()] == ["tides.txt"]
    assert folder.contents() == [b"tide tables"]


def test_an_upload_that_breaks_off_leaves_nothing(caller: Caller, agent: Agent, folder: Kept) -> None:
    class Broken(ContentFile):  # type: ignore[type-arg]  # generic in its stubs alone
        reads = 0

        def read(self, *size: int) -> bytes:
            self.reads += 1
            if self.reads > 2:
                raise ConnectionResetError("gone")
            read: bytes = super().read(*size)
            return read

    broken = Broken(b"x" * 200_000, name="half.bin")
    with pytest.raises(ConnectionResetError):
        upload(caller, agent, sent(), broken)
    assert not SharedFile.objects.exists()
    assert folder.files() == []


def test_an_upload_whose_row_fails_leaves_no_content(
    caller: Caller, agent: Agent, folder: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the audit is full")

    monkeypatch.setattr(audit, "record", fail)
    with pytest.raises(RuntimeError):
        upload(caller, agent)
    assert not SharedFile.objects.exists()
    assert folder.files() == []


def test_the_content_before_goes_only_once_the_new_is_committed(
    caller: Caller,
    agent: Agent,
    folder: Kept,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (file,) = upload(caller, agent)
    with django_capture_on_commit_callbacks(execute=True):
        replaced = shared_files.replace_shared_file(
            caller, agent_id=agent.pk, file_id=file.pk, files=[sent(b"\x89PNG\r\n\x1a\n" + bytes(9), "other.png")]
        )
        assert len(folder.files()) == 2
    assert (replaced.pk, replaced.name, replaced.version) == (file.pk, "tides.txt", 2)
    assert replaced.mime_type == "image/png"
    assert folder.contents() == [b"\x89PNG\r\n\x1a\n" + bytes(9)]


def test_a_replacement_rolled_back_from_outside_keeps_the_content_before(
    caller: Caller, agent: Agent, folder: Kept
) -> None:
    (file,) = upload(caller, agent)
    outer = transaction.atomic()
    outer.__enter__()
    shared_files.replace_shared_file(caller, agent_id=agent.pk, file_id=file.pk, files=[sent(b"new")])
    outer.__exit__(RuntimeError, RuntimeError(), None)
    kept = SharedFile.objects.get()
    assert kept.version == 1
    assert folder.read(kept.storage_name) == b"tide tables"


@pytest.mark.parametrize("count", [0, 2])
def test_a_replacement_is_exactly_one_file(caller: Caller, agent: Agent, folder: Kept, count: int) -> None:
    (file,) = upload(caller, agent)
    with pytest.raises(Invalid, match="exactly one"):
        shared_files.replace_shared_file(caller, agent_id=agent.pk, file_id=file.pk, files=[sent()] * count)


def test_freezing_binds_the_agent_and_not_people(caller: Caller, agent: Agent) -> None:
    (file,) = upload(caller, agent)
    where = {"agent_id": agent.pk, "file_id": file.pk}
    assert shared_files.freeze_shared_file(caller, **where, is_frozen=True).is_frozen
    execution = uuid4()
    with pytest.raises(Conflict, match="frozen"):
        shared_files.replace_shared_file(caller, **where, files=[sent(b"by the agent")], execution_id=execution)
    with pytest.raises(Conflict, match="frozen"):
        shared_files.delete_shared_file(caller, **where, execution_id=execution)
    assert shared_files.replace_shared_file(caller, **where, files=[sent(b"by a person")]).is_frozen
    shared_files.freeze_shared_file(caller, **where, is_frozen=False)
    changed = shared_files.replace_shared_file(caller, **where, files=[sent(b"agent's")], execution_id=execution)
    assert changed.last_modified_by_execution_id == execution


def test_deleted_files_take_their_content_along(
    caller: Caller,
    agent: Agent,
    folder: Kept,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    first, _, _ = upload(caller, agent, sent(), sent(b"2", "2"), sent(b"3", "3"))
    with django_capture_on_commit_callbacks(execute=True):
        shared_files.delete_shared_file(caller, agent_id=agent.pk, file_id=first.pk)
        assert len(folder.files()) == 3
    assert folder.contents() == [b"2", b"3"]
    with django_capture_on_commit_callbacks(execute=True):
        assert shared_files.delete_all_shared_files(caller, agent_id=agent.pk) == 2
    assert folder.files() == []


def test_an_agent_takes_the_content_of_its_files_along(
    caller: Caller,
    agent: Agent,
    folder: Kept,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    upload(caller, agent)
    with django_capture_on_commit_callbacks(execute=True):
        agents.delete_agent(caller, agent_id=agent.pk)
    assert folder.files() == []


def test_sizes_and_counts_are_bounded(
    caller: Caller, agent: Agent, folder: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Invalid, match="at most 20"):
        upload(caller, agent, *(sent(name=str(number)) for number in range(21)))
    monkeypatch.setattr(content, "LARGEST_BYTES", 10)
    with pytest.raises(Invalid) as refused:
        upload(caller, agent)
    assert refused.value.code == "too_large"
    assert folder.files() == []


def test_an_organization_has_a_quota_over_shared_and_staged_files(
    caller: Caller, agent: Agent, folder: Kept, settings: Settings
) -> None:
    settings.FILES_QUOTA_BYTES = 20
    (file,) = upload(caller, agent, sent(b"x" * 12, "a"))
    staged_files.stage_files(caller, organization_id=agent.organization.uid, files=[sent(b"y" * 6, "b")])
    assert used_bytes(agent.organization_id) == 18
    with pytest.raises(PlanLimit) as refused:
        upload(caller, AgentFactory(organization=agent.organization), sent(b"z" * 3, "c"))
    assert refused.value.data == {"used": 18, "quota": 20}
    assert len(folder.files()) == 2
    shared_files.replace_shared_file(caller, agent_id=agent.pk, file_id=file.pk, files=[sent(b"x" * 14)])
    with pytest.raises(PlanLimit):
        shared_files.replace_shared_file(caller, agent_id=agent.pk, file_id=file.pk, files=[sent(b"x" * 15)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("door", ["shared", "staged"])
def test_of_two_uploads_at_once_that_fit_only_alone_one_is_kept(
    caller: Caller, agent: Agent, folder: Kept, settings: Settings, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    settings.FILES_QUOTA_BYTES = 20
    count, first = quota.used_bytes, threading.Event()

    def count_slowly(organization_id: int) -> int:
        used = count(organization_id)
        if not first.is_set():
            first.set()
            until_one_waits_for_a_lock()
        return used

    def late() -> object:
        assert first.wait(SECONDS)
        if door == "staged":
            return staged_files.stage_files(caller, organization_id=agent.organization.uid, files=[sent(b"z" * 12)])
        return upload(caller, agent, sent(b"y" * 12, "late"))

    monkeypatch.setattr(quota, "used_bytes", count_slowly)
    outcomes = at_once(lambda: upload(caller, agent, sent(b"x" * 12, "early")), late)
    assert fared(outcomes) == ["ok", "quota_full"]
    assert used_bytes(agent.organization_id) == 12
    assert folder.contents() == [b"x" * 12]


def test_another_organizations_files_are_not_there(caller: Caller, agent: Agent) -> None:
    (file,) = upload(caller, agent)
    stranger = caller_for(member_of(AgentFactory().organization))
    where = {"agent_id": agent.pk, "file_id": file.pk}
    for act in (
        lambda: shared_files.list_shared_files(stranger, agent_id=agent.pk),
        lambda: shared_files.find_shared_file(stranger, **where),
        lambda: shared_files.upload_shared_files(stranger, agent_id=agent.pk, files=[sent(name="x")]),
        lambda: shared_files.replace_shared_file(stranger, **where, files=[sent()]),
        lambda: shared_files.freeze_shared_file(stranger, **where, is_frozen=True),
        lambda: shared_files.delete_shared_file(stranger, **where),
        lambda: shared_files.delete_all_shared_files(stranger, agent_id=agent.pk),
        lambda: staged_files.stage_files(stranger, organization_id=agent.organization.uid, files=[sent()]),
    ):
        with pytest.raises(NotFound):
            act()
    assert SharedFile.objects.get().version == 1


def test_a_reader_changes_nothing(caller: Caller, agent: Agent) -> None:
    reader = Caller(user_id=caller.user_id, scope=Scope.READ, door=caller.door)
    assert shared_files.list_shared_files(reader, agent_id=agent.pk) == []
    with pytest.raises(ScopeMissing):
        upload(reader, agent)


def test_a_staged_file_is_refused_from_its_hour_on_and_then_swept(
    caller: Caller,
    agent: Agent,
    folder: Kept,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    organization_id = agent.organization.uid
    due, kept = staged_files.stage_files(caller, organization_id=organization_id, files=[sent(), sent(b"k", "k")])
    assert staged_files.find_staged_files(caller, file_ids=[kept.pk, due.pk]) == [kept, due]
    assert timedelta(minutes=59) < due.expires_at - timezone.now() <= timedelta(minutes=60)
    StagedFile.objects.filter(pk=due.pk).update(expires_at=timezone.now())
    with pytest.raises(NotFound, match="an hour"):
        staged_files.find_staged_files(caller, file_ids=[kept.pk, due.pk])
    with django_capture_on_commit_callbacks(execute=True):
        delete_due_staged_files()
    assert list(StagedFile.objects.all()) == [kept]
    assert folder.contents() == [b"k"]


def test_content_that_no_row_names_is_swept_once_it_is_old(
    caller: Caller, agent: Agent, folder: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(caller, agent)
    staged_files.stage_files(caller, organization_id=agent.organization.uid, files=[sent(b"staged")])
    content.storage().save("ab/" + "0" * 32, sent(b"left by a crash"))
    if isinstance(folder, BucketAtServer):  # a request for each shelf, so only for those in use
        monkeypatch.setattr(content, "SHELVES", sorted({name[:2] for name in folder.files()}))
    remove_orphaned_content()
    assert len(folder.files()) == 3
    monkeypatch.setattr(content, "ORPHAN_AGE", timedelta(seconds=-1))
    remove_orphaned_content()
    assert folder.contents() == [b"staged", b"tide tables"]
