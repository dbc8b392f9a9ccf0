"""The play button: what came of a test, on the card or page it was pressed on."""

from asgiref.sync import async_to_sync
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from accounts.errors import Throttled
from accounts.page_caller import caller
from mcp_gateway.remote.pages import help as guides
from mcp_gateway.remote.pages import integrations, overview
from mcp_gateway.remote.pages.cards import Note
from mcp_gateway.remote.probe import Report
from mcp_gateway.remote.services import testing


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def test(request: HttpRequest, server_id: int) -> HttpResponse:
    """Test, and show the page again with the result in its place; who only follows the address is led to the server."""
    if request.method != "POST":
        return redirect("mcp_gateway:remote-server", server_id)
    try:
        note = note_of(async_to_sync(testing.test_server)(caller(request), server_id=server_id))
    except Throttled as error:
        note = Note("error", error.message)
    if request.POST.get("back") == "list":
        return integrations.show(request, {server_id: note})
    return overview.show(request, server_id, note)


def note_of(report: Report) -> Note:
    if report.ok:
        return Note("ok", f"{report.message} in {report.seconds:.1f} seconds, by protocol {report.protocol_version}.")
    return Note("error", report.message, guides.address(report.code or ""))
