"""What a tool gave, by an address of its own: images to be shown, all else to be kept, and nothing that could run."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from accounts.page_caller import caller
from agents_hub.pages.chat import results
from agents_hub.services import turns


@require_safe
@login_required
def content(request: HttpRequest, use_id: UUID, number: int) -> HttpResponse:
    found = results.content_of(turns.find_tool_use(caller(request), use_id), number)
    if found is None:
        raise NotFound("The tool returned nothing of this kind.")
    response = HttpResponse(found.body, content_type=found.mime_type or "application/octet-stream")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    # It never changes, and is for its person alone.
    response["Cache-Control"] = "private, max-age=86400, immutable"
    if not found.mime_type:
        response["Content-Disposition"] = f'attachment; filename="result-{number}"'
    return response
