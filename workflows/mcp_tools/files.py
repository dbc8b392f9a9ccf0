"""executionContextFiles*, and what REST alone offers: all files of an execution, their content, its recording."""

from collections.abc import Sequence

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.scopes import Scope
from agents_hub.files import links
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from mcp_gateway.rest.answers import Elsewhere
from mcp_gateway.rest.routes import REST_ONLY
from workflows.models import ExecutionFile
from workflows.services import executions, files
from workflows.shapes.executions import OneExecution, Words
from workflows.shapes.files import (
    ContextFiles,
    ContextFileShape,
    ExecutionFiles,
    OneExecutionFile,
    UploadContextFiles,
)


@registry.tool(
    "executionContextFilesGet",
    server=SERVER,
    scope=Scope.READ,
    title="List an execution's context files",
    read_only=True,
)
def list_context_files(caller: Caller, arguments: OneExecution) -> ContextFiles:
    """List the files that people gave an execution, each with a download link good for 15 minutes."""
    found = files.list_context_files(caller, execution_id=arguments.execution_id)
    return ContextFiles([ContextFileShape.of(caller, file) for file in found])


@registry.tool("executionContextFilesUpload", server=SERVER, scope=Scope.WRITE, title="Upload files to an execution")
def upload_context_files(caller: Caller, arguments: UploadContextFiles) -> Words:
    """Give files to an execution that has not ended; none is given where one cannot be.

    A message holds about 700 KB of files; larger ones go by the REST API. For one that has yet to be started there is
    tempFilesStage.
    """
    sent = [file.content() for file in arguments.files]
    return told(files.upload_context_files(caller, execution_id=arguments.execution_id, files=sent))


@registry.tool(
    "executionFilesGet", server=REST_ONLY, scope=Scope.READ, title="List an execution's files", read_only=True
)
def list_files(caller: Caller, arguments: OneExecution) -> ExecutionFiles:
    """List all files of an execution by directory, each with a download link good for 15 minutes."""
    return ExecutionFiles.of(caller, files.list_files(caller, execution_id=arguments.execution_id))


def download_file(caller: Caller, arguments: OneExecutionFile) -> Elsewhere:
    """Lead to the content of one file of an execution: a link for you alone, good for 15 minutes."""
    file = files.find_file(caller, execution_id=arguments.execution_id, file_id=arguments.file_id)
    return Elsewhere(location=links.sign(caller, file))


# Three addresses, for the lists in which a client may have found the file; each gives any of the execution's.
DOWNLOADS = {
    "context-files": "executionContextFileDownload",
    "files": "executionFileDownload",
    "debug-files": "executionDebugFileDownload",
}
for name in DOWNLOADS.values():
    registry.tool(name, server=REST_ONLY, scope=Scope.READ, title="Download an execution's file", read_only=True)(
        download_file
    )


@registry.tool(
    "executionRecordingGet", server=REST_ONLY, scope=Scope.READ, title="Get an execution's recording", read_only=True
)
def get_recording(caller: Caller, arguments: OneExecution) -> Elsewhere:
    """Lead to the recording of what the execution's browser showed."""
    executions.require_execution(caller, arguments.execution_id)
    raise NotFound("This execution has no recording: it used no browser.", code="no_recording")


def told(added: Sequence[ExecutionFile]) -> Words:
    """What was given, in words."""
    given = ", ".join(f"“{file.name}”" for file in added)
    return Words(f"{given} given to the execution; the agent finds {'it' if len(added) == 1 else 'them'} in uploads.")
