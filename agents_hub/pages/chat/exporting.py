"""Taking a conversation along, as a file."""

from collections.abc import AsyncIterator, Iterator
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from accounts.errors import NotFound
from accounts.page_caller import caller
from agents_hub.services.exports import Form, export_conversation

FORMS = {form.suffix: form for form in Form}


# Not HEAD as well: each export is noted.
@require_GET
@login_required
def export(request: HttpRequest, conversation_id: UUID, suffix: str) -> StreamingHttpResponse:
    """The branch that is shown, as Markdown or JSON."""
    form = FORMS.get(suffix)
    if form is None:
        raise NotFound("A conversation is exported as md or json.")
    conversation, pieces = export_conversation(caller(request), conversation_id=conversation_id, form=form)
    return StreamingHttpResponse(
        _in_a_thread(pieces) if isinstance(request, ASGIRequest) else pieces,
        content_type=f"{form.mime_type}; charset=utf-8",
        headers={
            "Content-Disposition": content_disposition_header(True, f"{conversation.title or 'Chat'}.{suffix}") or "",
            "Cache-Control": "private, no-store",
        },
    )


async def _in_a_thread(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The same, each piece written in a thread, so that the event loop waits for none."""
    read = sync_to_async(lambda: next(pieces, None), thread_sensitive=False)
    while (piece := await read()) is not None:
        yield piece
