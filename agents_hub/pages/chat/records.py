"""The record of an answer, for the admins of its organization."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.page_caller import caller
from agents_hub.models import TurnCall
from agents_hub.pages.chat.results import as_json
from agents_hub.services import records as service


# Not HEAD as well: each reading is noted.
@require_GET
@never_cache
@login_required
def record(request: HttpRequest, turn_id: UUID) -> HttpResponse:
    found = service.find_record(caller(request), turn_id)
    context = {"turn": found.turn, "calls": [_shown(call) for call in found.calls]}
    return render(request, "agents_hub/chat/record.html", context)


def _shown(call: TurnCall) -> dict[str, Any]:
    tools = call.question.get("tools", [])
    return {
        "call": call,
        "instructions": call.question.get("instructions", ""),
        "history": as_json(call.question.get("history") or None),
        "tools": as_json(tools or None),
        "tool_count": len(tools),
        "settings": as_json(call.question.get("settings")),
        "answer": as_json(call.answer),
    }
