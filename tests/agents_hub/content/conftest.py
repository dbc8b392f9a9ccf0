"""A person with an agent and a conversation, and a folder of the test's own where content lies."""

from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from pytest_django import Settings

from accounts.caller import Caller
from agents_hub.models import Agent, Attachment, Conversation, Message, Stage
from agents_hub.services import attachments
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for
from tests.file_storage import keep_files_in


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    keep_files_in(tmp_path / "files", settings)
    return tmp_path / "files"


@pytest.fixture
def agent(db: None, folder: Path) -> Agent:
    return AgentFactory(stage=Stage.RELEASED)


@pytest.fixture
def caller(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization))


@pytest.fixture
def conversation(agent: Agent, caller: Caller) -> Conversation:
    return conversation_of(agent, caller)


def conversation_of(agent: Agent, caller: Caller) -> Conversation:
    return Conversation.objects.create(agent=agent, organization=agent.organization, owner_id=caller.user_id)


def said(conversation: Conversation, text: str = "Look.", **fields: object) -> Message:
    return Message.objects.create(conversation=conversation, speaker="person", text=text, **fields)


def file(content: bytes = b"tide tables", name: str = "tides.txt") -> "ContentFile[bytes]":
    return ContentFile(content, name=name)


def attached(caller: Caller, conversation: Conversation, *files: "ContentFile[bytes]") -> list[Attachment]:
    return attachments.attach(caller, files=files or [file()], conversation_id=conversation.pk)


def contents(folder: Path) -> list[bytes]:
    return sorted(found.read_bytes() for found in folder.rglob("*") if found.is_file())
