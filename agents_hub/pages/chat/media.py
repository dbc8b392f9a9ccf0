"""What a tool gave, by an address of its own: images to be shown, all else to be kept, and nothing that could run."""

import json
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
    return _kept(found, f"result-{number}")


@require_safe
@login_required
def whole(request: HttpRequest, use_id: UUID) -> HttpResponse:
    """All that a call returned, as JSON to be kept."""
    found = turns.find_tool_use(caller(request), use_id)
    if found.result is None:
        raise NotFound("The tool returned nothing.")
    body = json.dumps(found.result, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    return _kept(results.Content(body), "result.json")


def _kept(found: results.Content, name: str) -> HttpResponse:
    response = HttpResponse(found.body, content_type=found.mime_type or "application/octet-stream")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    # It never changes, and is for its person alone.
    response["Cache-Control"] = "private, max-age=86400, immutable"
    if not found.mime_type:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
