"""A file's content at its signed link: handed over to be saved, never shown as a page of ours."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.base import File
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from agents_hub.files import content, links
from agents_hub.services.shared_files import claimed_file

CHUNK_BYTES = 262_144
# Whatever the file holds, a browser that opens it runs nothing of it and loads nothing for it.
POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"


@require_safe
def show_content(request: HttpRequest, token: str) -> StreamingHttpResponse:
    """The link is the right to it: no session and no key is asked for."""
    file = claimed_file(links.read(token))
    try:
        opened = content.storage().open(file.storage_name)
    except FileNotFoundError:
        raise NotFound("There is no file at this address.") from None
    chunks = _AsyncChunks if isinstance(request, ASGIRequest) else _Chunks
    return StreamingHttpResponse(
        chunks(opened),
        content_type=file.mime_type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": content_disposition_header(True, file.name) or "attachment",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


class _Opened:
    """Content on its way; Django closes it with the response, also where nobody has read it."""

    def __init__(self, file: "File[Any]") -> None:
        self._file = file

    def close(self) -> None:
        self._file.close()


class _Chunks(_Opened):
    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK_BYTES):
            yield chunk


class _AsyncChunks(_Opened):
    """The same from a thread of its own, so that the event loop waits for no disk."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self._file.read, thread_sensitive=False)
        while chunk := await read(CHUNK_BYTES):
            yield chunk
