"""Connect and Disconnect, each person for themselves."""

from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.errors import Conflict, Throttled, Unavailable
from accounts.page_caller import caller
from mcp_gateway.remote.pages import help as guides
from mcp_gateway.remote.pages import integrations, overview
from mcp_gateway.remote.pages.browser import session_digest
from mcp_gateway.remote.pages.cards import Note
from mcp_gateway.remote.services import connections, servers


@require_POST
@never_cache
@login_required
def connect(request: HttpRequest, server_id: int) -> HttpResponse:
    """Begin the sign-in and show where it leads; what keeps it from beginning is shown where Connect was pressed.

    The provider is left for by a page of ours and not by a redirect: our policy holds the redirects that follow a form
    to this platform, and the provider is only known once the server was asked.
    """
    who = caller(request)
    server = servers.find_server(who, server_id=server_id)
    try:
        address = async_to_sync(connections.start)(
            who, server_id, session_digest=session_digest(request), return_to=_back(request, server_id)
        )
    except (Conflict, Throttled, Unavailable) as refusal:
        note = Note("error", refusal.message, guides.address(refusal.code))
        if request.POST.get("back") == "list":
            return integrations.show(request, {server_id: note})
        return overview.show(request, server_id, note)
    context = {"server": server, "address": address, "host": urlsplit(address).hostname}
    return render(request, "mcp_gateway/remote/leaving.html", context)


@require_POST
@login_required
def disconnect(request: HttpRequest, server_id: int) -> HttpResponse:
    ended = async_to_sync(connections.disconnect)(caller(request), server_id)
    if ended.revoked:
        messages.success(request, f"Disconnected from {ended.server_name}. The provider has taken the access back.")
    else:
        said = "The access is forgotten here; to end it at the provider as well, look into your account there."
        messages.success(request, f"Disconnected from {ended.server_name}. {said}")
    return redirect(_back(request, server_id))


def _back(request: HttpRequest, server_id: int) -> str:
    if request.POST.get("back") == "list":
        return reverse("mcp_gateway:integrations")
    return reverse("mcp_gateway:remote-server", args=[server_id])
