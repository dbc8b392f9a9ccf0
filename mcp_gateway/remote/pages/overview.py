"""A server's own page: facts, the person's connection and its tools; and its activity: health and calls."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.caller import Caller
from accounts.page_caller import caller
from accounts.services.organizations import is_admin
from dashboard.frame import PAGE_SIZE, page_number
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.pages.cards import Note, card
from mcp_gateway.remote.pages.health import chart
from mcp_gateway.remote.services import calls, servers, tools

TABS = (("mcp_gateway:remote-server", "Tools"), ("mcp_gateway:remote-activity", "Activity"))


@require_safe
@login_required
def server_page(request: HttpRequest, server_id: int) -> HttpResponse:
    return show(request, server_id)


def show(request: HttpRequest, server_id: int, note: Note | None = None) -> HttpResponse:
    """The server's page, with what was just found out about it."""
    who = caller(request)
    server = servers.find_server(who, server_id=server_id)
    changed_only = request.GET.get("changed") == "1"
    context = {
        "tools": tools.list_tools(
            who, server_id=server_id, changed_only=changed_only, page=page_number(request), page_size=PAGE_SIZE
        ),
        "changed_only": changed_only,
        "changed_count": tools.changes_to_look_at([server_id]).get(server_id, 0),
    }
    return _page(request, who, server, "mcp_gateway/remote/server.html", context, tab=TABS[0][0], note=note)


@require_safe
@login_required
def activity(request: HttpRequest, server_id: int) -> HttpResponse:
    who = caller(request)
    server = servers.find_server(who, server_id=server_id)
    page = calls.recent_calls(who, server_id=server_id, page=page_number(request), page_size=PAGE_SIZE)
    context = {"health": calls.health(who, server_id=server_id), "calls": page, "chart": chart(server)}
    return _page(request, who, server, "mcp_gateway/remote/activity.html", context, tab=TABS[1][0])


def _page(
    request: HttpRequest,
    who: Caller,
    server: RemoteServer,
    template: str,
    context: dict[str, Any],
    *,
    tab: str,
    note: Note | None = None,
) -> HttpResponse:
    frame = {
        "server": server,
        "card": card(server, {server.pk: note} if note else None),
        "is_admin": is_admin(who, server.organization_id),
        "tabs": TABS,
        "tab": tab,
        "back": "page",
    }
    return render(request, template, {**frame, **context})
