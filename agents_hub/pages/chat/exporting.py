"""Taking a conversation along, as a file."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.page_caller import caller
from agents_hub.chat.export import as_json, as_markdown
from agents_hub.chat.whole import parts_of
from agents_hub.services.conversations import find_conversation

KINDS = {"md": (as_markdown, "text/markdown; charset=utf-8"), "json": (as_json, "application/json")}


@require_safe
@login_required
def export(request: HttpRequest, conversation_id: UUID, kind: str) -> StreamingHttpResponse:
    """The branch that is shown, as Markdown or JSON."""
    if kind not in KINDS:
        raise Http404
    written, content_type = KINDS[kind]
    conversation = find_conversation(caller(request), conversation_id)
    pieces = written(conversation, parts_of(conversation))
    response = StreamingHttpResponse(
        _in_a_thread(pieces) if isinstance(request, ASGIRequest) else pieces, content_type=content_type
    )
    name = f"{conversation.title or 'conversation'}.{kind}"
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["Cache-Control"] = "private, no-store"
    return response


async def _in_a_thread(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same, each piece read in the request's thread, so that the event loop waits for no database."""
    read = sync_to_async(lambda: next(pieces, None))
    while (piece := await read()) is not None:
        yield piece
