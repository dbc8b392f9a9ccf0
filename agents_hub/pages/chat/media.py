"""What a tool gave, by an address of its own: images to be shown, all else to be kept, and nothing that could run."""

import json
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from accounts.errors import NotFound
from accounts.page_caller import caller
from agents_hub.chat.outcomes import SETTLED
from agents_hub.models import ToolUse
from agents_hub.pages.chat import results
from agents_hub.services import turns


@require_safe
@login_required
def content(request: HttpRequest, use_id: UUID, number: int) -> HttpResponse:
    use = turns.find_tool_use(caller(request), use_id)
    found = results.content_of(use, number)
    if found is None:
        raise NotFound("The tool returned nothing of this kind.")
    return _kept(use, found, f"result-{number}")


@require_safe
@login_required
def whole(request: HttpRequest, use_id: UUID) -> HttpResponse:
    """All that a call returned, as JSON to be kept."""
    use = turns.find_tool_use(caller(request), use_id)
    if use.result is None:
        raise NotFound("The tool returned nothing.")
    body = json.dumps(use.result, ensure_ascii=False, indent=1).encode("utf-8", "replace")
    return _kept(use, results.Content(body), "result.json")


def _kept(use: ToolUse, found: results.Content, name: str) -> HttpResponse:
    response = HttpResponse(found.body, content_type=found.mime_type or "application/octet-stream")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    # For its person alone. Of a call that is settled it never changes; any other may be made again.
    response["Cache-Control"] = "private, max-age=86400, immutable" if use.status in SETTLED else "private, no-cache"
    if not found.mime_type:
        response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
