"""Connected applications, among the settings: which clients a person let in, and how each is shut out again."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import NotFound
from accounts.page_caller import caller
from accounts.pages.frame import settings_page
from mcp_gateway.models import Connection
from mcp_gateway.oauth import connections, resources

TAB = "mcp_gateway:connections"


@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    context = {"connections": connections.list_connections(caller(request)), "url": resources.uri(resources.PLATFORM)}
    return settings_page(request, "mcp_gateway/connections.html", context, tab=TAB)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def disconnect(request: HttpRequest, connection_id: int) -> HttpResponse:
    """What will be gone, and on POST the end of it."""
    if request.method == "POST":
        ended = connections.end_connection(caller(request), connection_id=connection_id)
        messages.success(request, f"Disconnected {ended.application}. It can no longer do anything in your name.")
        return redirect(TAB)
    connection = Connection.objects.for_caller(caller(request)).filter(pk=connection_id).first()
    if connection is None:
        raise NotFound("You have no such connected application. It may have been disconnected already.")
    return settings_page(request, "mcp_gateway/disconnect.html", {"connection": connection}, tab=TAB)
