"""The files of executions on the wire."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import Field, RootModel

from accounts.caller import Caller
from agents_hub.files import links
from agents_hub.shapes.files import SentFiles
from agents_hub.shapes.wire import FileId, Id
from mcp_gateway.shapes import Moment, Result
from workflows.models import ExecutionFile
from workflows.shapes.executions import OneExecution

Link = Annotated[str, Field(description="A link for you alone, good for 15 minutes.")]
DirectoryName = Literal["uploads", "downloads", "workspace", "shared", "debug"]


class ContextFileShape(Result):
    id: Id
    execution_id: Id
    agent_id: Id
    file_path: str
    file_name: str
    file_ext: Annotated[str, Field(description="What follows the last dot of the name, in lower case.")]
    file_size: int
    file_type: Annotated[str, Field(description="The MIME type's first half, such as image or text.")]
    mime_type: str
    created_at: Moment
    download_url: Link
    signed_url: Link

    @classmethod
    def of(cls, caller: Caller, file: ExecutionFile) -> "ContextFileShape":
        link = links.sign(caller, file)
        return cls(
            id=file.pk,
            execution_id=file.execution_id,
            agent_id=file.execution.agent_id,
            file_path=file.path,
            file_name=file.name,
            file_ext=PurePath(file.name).suffix.lower().removeprefix("."),
            file_size=file.size,
            file_type=file.mime_type.partition("/")[0],
            mime_type=file.mime_type,
            created_at=file.created_at,
            download_url=link,
            signed_url=link,
        )


class ContextFiles(RootModel[list[ContextFileShape]]):
    """The files that people gave an execution."""


class ExecutionFileShape(Result):
    id: Id
    agent_id: Id
    execution_id: Id
    file_path: str
    file_name: str
    file_size: int
    mime_type: str | None
    created_at: Moment
    updated_at: Moment
    directory: DirectoryName
    created_by: Literal["user", "agent", "environment", "system"]
    download_url: Link

    @classmethod
    def of(cls, caller: Caller, file: ExecutionFile) -> "ExecutionFileShape":
        return cls.model_validate(
            {
                "id": file.pk,
                "agent_id": file.execution.agent_id,
                "execution_id": file.execution_id,
                "file_path": file.path,
                "file_name": file.name,
                "file_size": file.size,
                "mime_type": file.mime_type or None,
                "created_at": file.created_at,
                "updated_at": file.updated_at,
                "directory": file.directory,
                "created_by": file.created_by,
                "download_url": links.sign(caller, file),
            }
        )


class Directories(Result):
    """Those that have files; the others are null."""

    uploads: list[ExecutionFileShape] | None = None
    downloads: list[ExecutionFileShape] | None = None
    workspace: list[ExecutionFileShape] | None = None
    shared: list[ExecutionFileShape] | None = None
    debug: list[ExecutionFileShape] | None = None


class ExecutionFiles(Result):
    directories: Directories
    last_updated: Moment | None

    @classmethod
    def of(cls, caller: Caller, files: Sequence[ExecutionFile]) -> "ExecutionFiles":
        by_directory: dict[str, list[ExecutionFileShape]] = {}
        for file in files:
            by_directory.setdefault(file.directory, []).append(ExecutionFileShape.of(caller, file))
        newest = max((file.updated_at for file in files), default=None)
        return cls(directories=Directories.model_validate(by_directory), last_updated=newest)


class OneExecutionFile(OneExecution):
    file_id: FileId


class UploadContextFiles(OneExecution):
    files: SentFiles
