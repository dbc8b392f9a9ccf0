"""The record of an answer, for the admins of its organization."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.page_caller import caller
from agents_hub.pages.chat.results import as_json
from agents_hub.services import records as service


# Not HEAD as well: each reading is noted.
@require_GET
@never_cache
@login_required
def record(request: HttpRequest, turn_id: UUID) -> HttpResponse:
    found = service.find_record(caller(request), turn_id)
    calls = [
        {
            "call": call,
            "instructions": call.question.get("instructions", ""),
            "history": as_json(call.question.get("history") or None),
            "tools": "\n".join(call.question.get("tools", [])),
            "tool_count": len(call.question.get("tools", [])),
            "answer": as_json(call.answer),
        }
        for call in found.calls
    ]
    return render(request, "agents_hub/chat/record.html", {"turn": found.turn, "calls": calls})
