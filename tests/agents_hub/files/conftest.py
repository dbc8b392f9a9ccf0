"""An agent of a person, and a folder of the test's own where content lies."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for


class Folder:
    """The storage, as one who looks at the disk sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def contents(self) -> list[bytes]:
        return sorted(file.read_bytes() for file in self.path.rglob("*") if file.is_file())

    def files(self) -> list[Path]:
        return [file for file in self.path.rglob("*") if file.is_file()]


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Folder:
    settings.STORAGES = settings.STORAGES | {
        "files": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "files")},
        }
    }
    return Folder(tmp_path / "files")


@pytest.fixture
def agent(db: None, folder: Folder) -> Agent:
    return AgentFactory()


@pytest.fixture
def caller(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization))


def sent(content: bytes = b"tide tables", name: str = "tides.txt") -> "ContentFile[bytes]":
    return ContentFile(content, name=name)
