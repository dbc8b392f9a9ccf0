"""Shared and staged files on the wire."""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any

from django.core.files.base import ContentFile
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from accounts.caller import Caller
from agents_hub.files import links
from agents_hub.models import SharedFile, StagedFile
from agents_hub.shapes.wire import AgentId, FileId, Id
from mcp_gateway.shapes import Arguments, Moment, OrganizationId, Result


class SharedFileShape(Result):
    id: Id
    agent_id: Id
    file_path: str
    file_name: str
    file_size: int
    mime_type: str | None
    created_at: Moment
    updated_at: Moment
    version: int
    is_frozen: bool
    last_modified_by_execution_id: Id | None
    download_url: str = Field(description="A link for you alone, good for 15 minutes.")

    @classmethod
    def of(cls, caller: Caller, file: SharedFile) -> "SharedFileShape":
        return cls(
            id=file.pk,
            agent_id=file.agent_id,
            file_path=f"shared/{file.name}",
            file_name=file.name,
            file_size=file.size,
            mime_type=file.mime_type or None,
            created_at=file.created_at,
            updated_at=file.updated_at,
            version=file.version,
            is_frozen=file.is_frozen,
            last_modified_by_execution_id=file.last_modified_by_execution_id,
            download_url=links.sign(caller, file),
        )


class SharedFiles(Result):
    files: list[SharedFileShape]

    @classmethod
    def of(cls, caller: Caller, files: Sequence[SharedFile]) -> "SharedFiles":
        return cls(files=[SharedFileShape.of(caller, file) for file in files])


class SharedFilesWithSize(SharedFiles):
    total_size: int = Field(description="Bytes.")


class TempFile(Result):
    id: Id
    name: str


class TempFiles(Result):
    temp_files: list[TempFile]

    @classmethod
    def of(cls, files: Sequence[StagedFile]) -> "TempFiles":
        return cls(temp_files=[TempFile(id=file.pk, name=file.name) for file in files])


def _base64(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError("is a text in base64")
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64 (RFC 4648, section 4, with padding and without line breaks)") from None


Base64 = Annotated[
    bytes,
    BeforeValidator(_base64),
    # What is written down of a call, in the audit, is how much was sent.
    PlainSerializer(lambda content: f"{len(content)} bytes", return_type=str),
    WithJsonSchema({"type": "string", "contentEncoding": "base64"}, mode="validation"),
]


class SentFile(Arguments):
    """A file inside a message. What is too large for one goes by the REST API."""

    name: Annotated[str, Field(min_length=1, max_length=1000)]
    content_base64: Base64
    mime_type: Annotated[str, Field(max_length=127)] | None = Field(
        None, description="Taken and not believed: the type is told from the content."
    )

    def content(self) -> "ContentFile[bytes]":
        return ContentFile(self.content_base64, name=self.name)


SentFiles = Annotated[list[SentFile], Field(min_length=1, max_length=20)]


class OfOrganization(Arguments):
    organization_id: OrganizationId


class OfAgent(Arguments):
    agent_id: AgentId


class OneFile(OfAgent):
    file_id: FileId


class StageFiles(OfOrganization):
    files: SentFiles


class UploadFiles(OfAgent):
    files: SentFiles


class ReplaceFile(OneFile):
    files: Annotated[list[SentFile], Field(min_length=1, max_length=1, description="Exactly one.")]


class FreezeFile(OneFile):
    is_frozen: bool
