"""A file's content at its signed link: handed over to be saved, never shown as a page of ours."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
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
    if not content.storage().exists(file.storage_name):
        raise NotFound("There is no file at this address.")
    chunks = _async_chunks if isinstance(request, ASGIRequest) else _chunks
    return StreamingHttpResponse(
        chunks(file.storage_name),
        content_type=file.mime_type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": content_disposition_header(True, file.name) or "attachment",
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


def _chunks(storage_name: str) -> Iterator[bytes]:
    with content.storage().open(storage_name) as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _async_chunks(storage_name: str) -> AsyncIterator[bytes]:
    """The same from a thread of its own, so that the event loop waits for no disk and no bucket."""
    file = await sync_to_async(content.storage().open, thread_sensitive=False)(storage_name)
    read = sync_to_async(file.read, thread_sensitive=False)
    try:
        while chunk := await read(CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
