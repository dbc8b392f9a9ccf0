"""The actions on the execution's files: those it was given, those it made, and the agent's shared ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile, File
from pydantic import Field

from agents_hub.files import content
from workflows.engine.work import Work
from workflows.models import Directory, ExecutionFile
from workflows.services.attaching import MOST_FILES
from workflows.services.files import keep_file
from workflows.task.actions import Action, ActionFailed, Arguments, actions, clipped

# Of one file, in bytes: what is read of it at once, and up to where it is read by lines.
PIECE = 50_000
LONGEST_BY_LINES = 5_000_000
MOST_LINES = 500
Where = Literal["uploads", "downloads", "workspace", "shared"]


class Listing(Arguments):
    directory: Where | None = Field(default=None, description="Without it, the files of all directories.")


async def file_list(work: Work, arguments: Listing) -> Any:
    return await sync_to_async(_listed)(work, arguments.directory)


def _listed(work: Work, directory: Where | None) -> list[dict[str, Any]]:
    files = _files(work)
    if directory is not None:
        files = files.filter(directory=directory)
    return [
        {"path": file.path, "size": file.size, "mimeType": file.mime_type}
        for file in files.order_by("directory", "name")[:MOST_FILES]
    ]


class Piece(Arguments):
    path: Annotated[str, Field(min_length=1, max_length=300, description="As file_list gives it: directory/name.")]
    offset: Annotated[int, Field(ge=0, description="Bytes to skip: the nextOffset of the piece before.")] = 0


async def file_read(work: Work, arguments: Piece) -> Any:
    """A piece of the file, and where the next one begins."""
    return await sync_to_async(_piece)(work, arguments.path, arguments.offset)


def _piece(work: Work, path: str, offset: int) -> dict[str, Any]:
    file = _find(work, path)
    # What lies around it is read too: half a value would not be known again.
    before = min(offset, work.secrets.longest)
    with _opened(file) as stored:
        stored.seek(offset - before)
        raw = stored.read(before + PIECE + work.secrets.longest)
    _, read = _decoded(raw[before : before + PIECE], path)
    following = offset + read
    text = work.secrets.hide_between(raw, before, before + read).decode()
    return {"text": text, "size": file.size} | ({"nextOffset": following} if read and following < file.size else {})


class Lines(Arguments):
    path: Annotated[str, Field(min_length=1, max_length=300, description="As file_list gives it: directory/name.")]
    first: Annotated[int, Field(ge=1, description="The number of the first line.")] = 1
    count: Annotated[int, Field(ge=1, le=MOST_LINES)] = MOST_LINES


async def read_file(work: Work, arguments: Lines) -> str:
    """Lines of the file, each with its number."""
    return await sync_to_async(_lines)(work, arguments)


def _lines(work: Work, arguments: Lines) -> str:
    file = _find(work, arguments.path)
    if file.size > LONGEST_BY_LINES:
        raise ActionFailed(f"“{arguments.path}” has {file.size:,} bytes. Read it in pieces, with file_read.")
    with _opened(file) as stored:
        text, _ = _decoded(stored.read(), arguments.path)
    lines = text.splitlines()
    wanted = lines[arguments.first - 1 : arguments.first - 1 + arguments.count]
    numbered = "\n".join(f"{number}\t{line}" for number, line in enumerate(wanted, arguments.first))
    # Hidden before it is cut: half a value would not be known again.
    return f"{clipped(work.secrets.hide(numbered))}\n[{len(lines):,} lines in all.]"


class Staged(Arguments):
    name: Annotated[str, Field(min_length=1, max_length=255)]
    content: Annotated[str, Field(max_length=1_000_000)]
    directory: Literal["workspace", "shared"] = Field(
        default="workspace", description="In shared it is there for the agent's later executions too."
    )


async def file_stage(work: Work, arguments: Staged) -> Any:
    """Write the file, over one of the same name; no secret's value gets into it."""
    return await sync_to_async(_staged)(work, arguments)


def _staged(work: Work, arguments: Staged) -> dict[str, Any]:
    text: str = work.secrets.hide(arguments.content)
    file = ContentFile(text.encode(), name=arguments.name)
    kept = keep_file(work.held, directory=Directory(arguments.directory), file=file)
    return {"path": kept.path, "size": kept.size}


def _files(work: Work) -> Any:
    """Those that agents work with: what was kept for finding faults is for people."""
    return ExecutionFile.objects.filter(execution_id=work.id).exclude(directory=Directory.DEBUG)


def _find(work: Work, path: str) -> ExecutionFile:
    directory, _, name = path.strip("/").partition("/")
    file: ExecutionFile | None = _files(work).filter(directory=directory, name=name).first()
    if file is None:
        raise ActionFailed(f"There is no file {path}. file_list names those there are.")
    return file


@contextmanager
def _opened(file: ExecutionFile) -> Iterator["File[bytes]"]:
    try:
        stored = content.storage().open(file.storage_name)
    except FileNotFoundError:
        raise ActionFailed(f"The content of “{file.path}” is no longer there.") from None
    with stored:
        yield stored


def _decoded(raw: bytes, path: str) -> tuple[str, int]:
    """The text, and how many bytes it was; a character that is cut at the end is left for the next piece."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as fault:
        if fault.start < len(raw) - 3 or fault.start == 0:
            raise ActionFailed(f"“{path}” is not text in UTF-8.") from None
        raw = raw[: fault.start]
        text = raw.decode()
    if "\x00" in text:
        raise ActionFailed(f"“{path}” is not text in UTF-8.")
    return text, len(raw)


for _action in (
    Action("file_list", "List the files of this execution.", Listing, file_list, "files", repeatable=True),
    Action("file_read", "Read a text file, piece by piece.", Piece, file_read, "files", repeatable=True),
    Action("read_file", "Read lines of a text file, with their numbers.", Lines, read_file, "files", repeatable=True),
    Action(
        "file_stage",
        "Write a text file into the workspace, or among the files that the agent's executions share.",
        Staged,
        file_stage,
        "files",
        repeatable=True,
    ),
):
    actions.add(_action)
