"""Taking a conversation along, as a file."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from accounts.errors import NotFound
from accounts.page_caller import caller
from agents_hub.services.exports import Form, export_conversation
from mcp_gateway.pieces import as_file

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
    return as_file(request, pieces, name=f"{conversation.title or 'Chat'}.{suffix}", mime_type=form.mime_type)
