"""The REST routes of files. Those that take files take them as multipart/form-data, in the field `files`."""

from collections.abc import Sequence

from accounts.caller import Caller
from agents_hub.files import content
from agents_hub.services import shared_files, staged_files
from agents_hub.shapes.files import OfAgent, OfOrganization, OneFile, SharedFiles, SharedFileShape, TempFiles
from mcp_gateway.rest.routes import REST_ONLY, SentFile, api

SHARED = "agents/{agentId}/shared-files"


def stage(caller: Caller, arguments: OfOrganization, files: Sequence[SentFile]) -> TempFiles:
    return TempFiles.of(staged_files.stage_files(caller, organization_id=arguments.organization_id, files=files))


def upload(caller: Caller, arguments: OfAgent, files: Sequence[SentFile]) -> SharedFiles:
    added = shared_files.upload_shared_files(caller, agent_id=arguments.agent_id, files=files)
    return SharedFiles.of(caller, added)


def replace(caller: Caller, arguments: OneFile, files: Sequence[SentFile]) -> SharedFileShape:
    replaced = shared_files.replace_shared_file(
        caller, agent_id=arguments.agent_id, file_id=arguments.file_id, files=files
    )
    return SharedFileShape.of(caller, replaced)


api.add("POST", "temp-files/{organizationId}", "tempFilesStage", upload=stage, most_bytes=content.LONGEST_REQUEST_BYTES)
api.add("GET", SHARED, "agentSharedFilesGet")
api.add("POST", SHARED, "agentSharedFilesUpload", upload=upload, most_bytes=content.LONGEST_REQUEST_BYTES)
api.add("DELETE", f"{SHARED}/delete-all", "agentSharedFilesDeleteAll")
api.add(
    "PUT",
    f"{SHARED}/{{fileId}}",
    "agentSharedFilesUpdate",
    upload=replace,
    most_bytes=content.LONGEST_REPLACEMENT_BYTES,
)
api.add("DELETE", f"{SHARED}/{{fileId}}", "agentSharedFilesDelete")
api.add("PATCH", f"{SHARED}/{{fileId}}/freeze", "agentSharedFilesFreeze")
api.add("GET", f"{SHARED}/{{fileId}}/download", "agentSharedFileDownload", server=REST_ONLY)
