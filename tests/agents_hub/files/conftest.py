"""An agent of a person, and a place of the test's own where content lies: a folder, or a bucket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from django.core.files.base import ContentFile
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.models import Agent
from config import stored_files
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.file_storage import keep_files_in


class Kept(Protocol):
    """The storage, as one who looks at it past the platform sees it."""

    def files(self) -> list[str]:
        """Where content lies."""

    def read(self, name: str) -> bytes: ...

    def contents(self) -> list[bytes]: ...


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def files(self) -> list[str]:
        return [str(file.relative_to(self.path)) for file in self.path.rglob("*") if file.is_file()]

    def read(self, name: str) -> bytes:
        return (self.path / name).read_bytes()

    def contents(self) -> list[bytes]:
        return sorted(map(self.read, self.files()))


class BucketAtServer:
    def __init__(self, client: Any) -> None:
        self.client, self.name = client, f"files-{uuid4().hex}"
        self.client.create_bucket(Bucket=self.name)

    def files(self) -> list[str]:
        return [entry["Key"] for entry in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]

    def read(self, name: str) -> bytes:
        body: bytes = self.client.get_object(Bucket=self.name, Key=name)["Body"].read()
        return body

    def contents(self) -> list[bytes]:
        return sorted(map(self.read, self.files()))


@pytest.fixture(scope="session")
def s3() -> Iterator[Any]:
    """A client of a server that speaks S3."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="harbour",
        aws_secret_access_key="lights",
        config=Config(s3={"addressing_style": "path"}),
    )
    server.stop()


@pytest.fixture
def bucket(s3: Any, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> BucketAtServer:
    """A new bucket there, which the settings name as an operator names theirs."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "harbour")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "lights")
    made = BucketAtServer(s3)
    for name, value in {"BUCKET": made.name, "ENDPOINT": s3.meta.endpoint_url, "REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"FILES_S3_{name}", value)
    settings.STORAGES = settings.STORAGES | {"files": stored_files.storage(tmp_path)}
    return made


@pytest.fixture
def disk(tmp_path: Path, settings: Settings) -> Folder:
    keep_files_in(tmp_path / "files", settings)
    return Folder(tmp_path / "files")


@pytest.fixture
def folder(disk: Folder) -> Kept:
    return disk


@pytest.fixture
def agent(db: None, folder: Kept) -> Agent:
    return AgentFactory()


@pytest.fixture
def caller(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization))


def sent(content: bytes = b"tide tables", name: str = "tides.txt") -> "ContentFile[bytes]":
    return ContentFile(content, name=name)
