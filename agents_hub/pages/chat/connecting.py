"""Leaving a chat to connect an account, and coming back to the same chat with what was typed."""

from urllib.parse import urlsplit
from uuid import UUID

from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.errors import Conflict, Invalid, NotFound, Throttled, Unavailable
from accounts.page_caller import caller, is_signed_in
from agents_hub.files import content
from agents_hub.models import Conversation
from agents_hub.pages.chat.conversation import page
from agents_hub.pages.chat.files import sent_with
from agents_hub.services import conversations
from mcp_gateway.remote.pages.browser import session_digest
from mcp_gateway.remote.services import connections, servers
from security import body_size


@body_size.takes(content.LONGEST_REQUEST_BYTES, of=is_signed_in)
@require_POST
@never_cache
@login_required
def connect(request: HttpRequest, conversation_id: UUID, server_id: int) -> HttpResponse:
    found = conversations.find_conversation(caller(request), conversation_id)
    # Every Connect is a button of the composer's, also one in an answer. What brings no text takes none away.
    return leave_for(request, found, str(server_id), draft=request.POST.get("text", found.draft))


def leave_for(request: HttpRequest, found: Conversation, server_id: str, *, draft: str) -> HttpResponse:
    """Keep the draft, and show where the sign-in leads; what keeps it from beginning is said in the chat."""
    who = caller(request)
    if not (server_id.isascii() and server_id.isdigit() and len(server_id) < 19):
        raise NotFound("There is no such server in your organizations.")
    server = servers.find_server(who, server_id=int(server_id))
    found = conversations.keep_draft(who, conversation_id=found.pk, draft=draft)
    try:
        sent_with(request, found.pk)
    except (Conflict, Invalid) as refusal:
        return page(request, found, refused=refusal.message)
    back = reverse("chat:conversation", args=[found.pk])
    try:
        address = async_to_sync(connections.start)(
            who, server.pk, session_digest=session_digest(request), return_to=back
        )
    except (Conflict, Throttled, Unavailable) as refusal:
        return page(request, found, refused=refusal.message)
    context = {"server": server, "address": address, "host": urlsplit(address).hostname, "back": back}
    return render(request, "mcp_gateway/remote/leaving.html", context)
