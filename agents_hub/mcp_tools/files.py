"""tempFilesStage and agentSharedFiles*: files by tool, their content in base64 inside the message."""

from accounts.caller import Caller
from accounts.scopes import Scope
from agents_hub.files import links
from agents_hub.services import shared_files, staged_files
from agents_hub.shapes.files import (
    FreezeFile,
    OfAgent,
    OneFile,
    ReplaceFile,
    SharedFiles,
    SharedFileShape,
    SharedFilesWithSize,
    StageFiles,
    TempFiles,
    UploadFiles,
)
from agents_hub.shapes.wire import SERVER
from mcp_gateway.registry import registry
from mcp_gateway.rest.answers import Elsewhere
from mcp_gateway.rest.routes import REST_ONLY
from mcp_gateway.shapes import Nothing


@registry.tool("tempFilesStage", server=SERVER, scope=Scope.WRITE, title="Stage files for an execution")
def stage_files(caller: Caller, arguments: StageFiles) -> TempFiles:
    """Stage files in an organization before starting an execution, which then takes them by their ids.

    They are gone after 60 minutes. A message holds about 700 KB of files; larger ones go by the REST API.
    """
    files = [file.content() for file in arguments.files]
    return TempFiles.of(staged_files.stage_files(caller, organization_id=arguments.organization_id, files=files))


@registry.tool("agentSharedFilesGet", server=SERVER, scope=Scope.READ, title="List shared files", read_only=True)
def list_shared_files(caller: Caller, arguments: OfAgent) -> SharedFilesWithSize:
    """List the files that all executions of an agent share, by name, each with a download link good for 15 minutes."""
    files = shared_files.list_shared_files(caller, agent_id=arguments.agent_id)
    return SharedFilesWithSize(files=SharedFiles.of(caller, files).files, total_size=sum(file.size for file in files))


@registry.tool("agentSharedFilesUpload", server=SERVER, scope=Scope.WRITE, title="Add shared files")
def upload_shared_files(caller: Caller, arguments: UploadFiles) -> SharedFiles:
    """Add files that all executions of an agent share; none is added where one cannot be.

    A name that the agent has already is refused: agentSharedFilesUpdate replaces that file. A message holds about
    700 KB of files; larger ones go by the REST API.
    """
    files = [file.content() for file in arguments.files]
    added = shared_files.upload_shared_files(caller, agent_id=arguments.agent_id, files=files)
    return SharedFiles.of(caller, added)


@registry.tool(
    "agentSharedFilesUpdate", server=SERVER, scope=Scope.WRITE, title="Replace a shared file", destructive=True
)
def replace_shared_file(caller: Caller, arguments: ReplaceFile) -> SharedFileShape:
    """Replace the content of one shared file. It keeps its id and name, and its version rises by one.

    The content before is gone. A file that is frozen for the agent can be replaced by people, as here.
    """
    replaced = shared_files.replace_shared_file(
        caller,
        agent_id=arguments.agent_id,
        file_id=arguments.file_id,
        files=[file.content() for file in arguments.files],
    )
    return SharedFileShape.of(caller, replaced)


@registry.tool(
    "agentSharedFilesDelete", server=SERVER, scope=Scope.WRITE, title="Delete a shared file", destructive=True
)
def delete_shared_file(caller: Caller, arguments: OneFile) -> Nothing:
    """Delete one shared file of an agent. This cannot be undone."""
    shared_files.delete_shared_file(caller, agent_id=arguments.agent_id, file_id=arguments.file_id)
    return Nothing()


@registry.tool(
    "agentSharedFilesDeleteAll",
    server=SERVER,
    scope=Scope.WRITE,
    title="Delete all shared files of an agent",
    destructive=True,
    idempotent=True,
)
def delete_all_shared_files(caller: Caller, arguments: OfAgent) -> Nothing:
    """Delete all shared files of an agent, frozen ones as well. This cannot be undone."""
    shared_files.delete_all_shared_files(caller, agent_id=arguments.agent_id)
    return Nothing()


@registry.tool(
    "agentSharedFilesFreeze",
    server=SERVER,
    scope=Scope.WRITE,
    title="Freeze or unfreeze a shared file",
    idempotent=True,
)
def freeze_shared_file(caller: Caller, arguments: FreezeFile) -> SharedFileShape:
    """Freeze a shared file, so that the agent cannot change it while it runs, or unfreeze it.

    People and their clients can still replace and delete a frozen file.
    """
    file = shared_files.freeze_shared_file(
        caller, agent_id=arguments.agent_id, file_id=arguments.file_id, is_frozen=arguments.is_frozen
    )
    return SharedFileShape.of(caller, file)


@registry.tool(
    "agentSharedFileDownload", server=REST_ONLY, scope=Scope.READ, title="Download a shared file", read_only=True
)
def download_shared_file(caller: Caller, arguments: OneFile) -> Elsewhere:
    """Lead to the content of one shared file: a link for you alone, good for 15 minutes."""
    file = shared_files.find_shared_file(caller, agent_id=arguments.agent_id, file_id=arguments.file_id)
    return Elsewhere(location=links.sign(caller, file))
