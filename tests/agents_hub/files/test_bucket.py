"""What is a bucket's alone: parts of an upload, links to what lies elsewhere, and a server that is away."""

import re
import socket
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.test import AsyncClient, Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.caller import Caller
from accounts.errors import Unavailable
from agents_hub.files import links
from agents_hub.models import Agent, SharedFile
from agents_hub.services import shared_files
from config import stored_files
from tests.agents_hub.files.conftest import BucketAtServer, Kept, sent

pytestmark = pytest.mark.django_db
# More than one part: boto3 begins a multipart upload at 8 MB.
LARGE_BYTES = 9 * 1_048_576


@pytest.fixture
def folder(bucket: BucketAtServer) -> Kept:
    return bucket


@pytest.fixture
def file(caller: Caller, agent: Agent) -> SharedFile:
    return upload(caller, agent, sent())


def upload(caller: Caller, agent: Agent, file: "ContentFile[bytes]") -> SharedFile:
    (added,) = shared_files.upload_shared_files(caller, agent_id=agent.pk, files=[file])
    return added


class BreaksOff(ContentFile):  # type: ignore[type-arg]  # generic in its stubs alone
    """Content that can be read once, and the second time, when it is being sent, only up to its middle."""

    def read(self, *size: int) -> bytes:
        if self.sent_again and self.tell() > LARGE_BYTES // 2:
            raise ConnectionResetError("gone")
        read: bytes = super().read(*size)
        return read

    def seek(self, *where: int) -> int:
        self.sent_again = self.tell() >= LARGE_BYTES
        return int(super().seek(*where))

    sent_again = False


def test_a_large_file_goes_in_parts_and_comes_back_whole(caller: Caller, agent: Agent, bucket: BucketAtServer) -> None:
    large = upload(caller, agent, sent(bytes(range(256)) * (LARGE_BYTES // 256), "large.bin"))
    assert bucket.client.head_object(Bucket=bucket.name, Key=large.storage_name)["ETag"].strip('"').endswith("-2")
    assert b"".join(Client().get(links.sign(caller, large))) == bytes(range(256)) * (LARGE_BYTES // 256)


def test_an_upload_that_breaks_off_between_its_parts_leaves_none(
    caller: Caller, agent: Agent, bucket: BucketAtServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "werkzeug")
    with pytest.raises(ConnectionResetError):
        upload(caller, agent, BreaksOff(bytes(LARGE_BYTES), "half.bin"))
    assert not SharedFile.objects.exists()
    assert bucket.files() == []
    assert re.search(r"POST /\S+\?uploads ", caplog.text), "the upload had begun"
    assert "Uploads" not in bucket.client.list_multipart_uploads(Bucket=bucket.name)


def test_a_link_is_answered_under_the_asynchronous_server_as_well(caller: Caller, file: SharedFile) -> None:
    async def fetch(link: str) -> bytes:
        answer: Any = await AsyncClient().get(link)
        return b"".join([chunk async for chunk in answer])

    assert async_to_sync(fetch)(links.sign(caller, file)) == b"tide tables"


def test_a_link_to_content_that_somebody_took_from_the_bucket_leads_nowhere(
    caller: Caller, file: SharedFile, bucket: BucketAtServer
) -> None:
    bucket.client.delete_object(Bucket=bucket.name, Key=file.storage_name)
    assert Client().get(links.sign(caller, file)).status_code == 404


@pytest.fixture
def away(settings: Settings, bucket: BucketAtServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Lets the bucket's server be away from the moment it is called: its port takes no connection."""
    with socket.socket() as never_listening:
        never_listening.bind(("127.0.0.1", 0))

        def leave() -> None:
            files = dict(settings.STORAGES["files"])
            address = f"http://127.0.0.1:{never_listening.getsockname()[1]}"
            files["OPTIONS"] = files["OPTIONS"] | {"endpoint_url": address}
            settings.STORAGES = settings.STORAGES | {"files": files}

        yield leave


def test_while_the_server_is_away_nothing_is_added_and_people_are_told(
    caller: Caller, agent: Agent, file: SharedFile, away: Any
) -> None:
    link = links.sign(caller, file)
    away()
    with pytest.raises(Unavailable) as refused:
        upload(caller, agent, sent(b"new", "new.txt"))
    assert refused.value.code == "storage_away"
    assert SharedFile.objects.get() == file
    assert Client().get(link).status_code == 503


def test_what_is_deleted_while_the_server_is_away_is_left_to_the_sweep(
    caller: Caller,
    agent: Agent,
    file: SharedFile,
    away: Any,
    bucket: BucketAtServer,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    away()
    with django_capture_on_commit_callbacks(execute=True):
        shared_files.delete_shared_file(caller, agent_id=agent.pk, file_id=file.pk)
    assert not SharedFile.objects.exists()
    assert bucket.files() == [file.storage_name]
    assert "the sweep will" in caplog.text


def test_a_bucket_without_its_libraries_is_refused_at_the_start(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILES_S3_BUCKET", "files")
    monkeypatch.setattr(stored_files, "find_spec", lambda _: None)
    with pytest.raises(ImproperlyConfigured, match=r"requirements-extras\.txt"):
        stored_files.storage(tmp_path)
