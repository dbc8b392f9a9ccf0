"""Files that are made while they are sent, so that a long one is never whole in memory."""

from collections.abc import AsyncIterator, Iterator

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from mcp_gateway.offload import in_domain


def as_file(request: HttpRequest, pieces: Iterator[str], *, name: str, mime_type: str) -> StreamingHttpResponse:
    """The pieces as a file to be kept, for the one person who asked. They may come from different threads, so nothing
    that belongs to one, such as a cursor, may be open between two of them."""
    return StreamingHttpResponse(
        _in_domain(pieces) if isinstance(request, ASGIRequest) else pieces,
        content_type=f"{mime_type}; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, name) or "",
            "Cache-Control": "private, no-store",
        },
    )


async def _in_domain(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same, each piece made in a thread of the domain, so that the event loop waits for none."""
    while (piece := await in_domain(next, pieces, None, calls_out=True)) is not None:
        yield piece
