"""The REST routes of executions' files. Uploads are multipart/form-data, in the field `files`."""

from collections.abc import Sequence

from accounts.caller import Caller
from agents_hub.files import content
from mcp_gateway.rest.routes import REST_ONLY, SentFile, api
from workflows.mcp_tools.files import DOWNLOADS, told
from workflows.services import files as service
from workflows.shapes.executions import OneExecution, Words

EXECUTION = "executions/{executionId}"
CONTEXT_FILES = f"{EXECUTION}/context-files"


def upload(caller: Caller, arguments: OneExecution, files: Sequence[SentFile]) -> Words:
    return told(service.upload_context_files(caller, execution_id=arguments.execution_id, files=files))


api.add("GET", CONTEXT_FILES, "executionContextFilesGet")
api.add("POST", CONTEXT_FILES, "executionContextFilesUpload", upload=upload, most_bytes=content.LONGEST_REQUEST_BYTES)
api.add("GET", f"{EXECUTION}/files", "executionFilesGet", server=REST_ONLY)
api.add("GET", f"{EXECUTION}/recording", "executionRecordingGet", server=REST_ONLY)
for kind, tool in DOWNLOADS.items():
    api.add("GET", f"{EXECUTION}/{kind}/{{fileId}}/download", tool, server=REST_ONLY)
