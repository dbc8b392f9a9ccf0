"""Where providers send people back to, and the document that says who we are: the two addresses providers know."""

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from accounts.errors import Unavailable
from accounts.page_caller import caller
from mcp_gateway.remote.oauth import client_document
from mcp_gateway.remote.oauth.errors import SignInFailed
from mcp_gateway.remote.pages.browser import session_digest
from mcp_gateway.remote.pages.help import with_help
from mcp_gateway.remote.services import connections

# Where people go who cannot be sent back to where they were.
ELSEWHERE = "/dashboard/integrations"


# Not HEAD as well: whoever looks at a link before following it would use up the sign-in.
@require_GET
@never_cache
def finish_sign_in(request: HttpRequest) -> HttpResponse:
    """The end of a sign-in. Whatever comes of it, the browser is sent on, away from an address with a code in it."""
    if not request.user.is_authenticated:
        messages.error(request, "Your session here has ended meanwhile. Sign in, then connect again.")
        return redirect(ELSEWHERE)
    try:
        signed_in = async_to_sync(connections.finish)(
            caller(request), _once_each(request), session_digest=session_digest(request)
        )
    except (SignInFailed, Unavailable) as failure:
        messages.error(request, with_help(failure.message, failure.code))
        return redirect(failure.data.get("return_to") or ELSEWHERE)
    messages.success(request, f"Connected to {signed_in.connection.server.name}.")
    return redirect(signed_in.return_to or ELSEWHERE)


def _once_each(request: HttpRequest) -> dict[str, str]:
    """The answer's members. One that is there twice is there as nothing (RFC 6749 section 3.1)."""
    return {name: values[0] if len(values) == 1 else "" for name, values in request.GET.lists()}


@require_safe
def show_client_document(request: HttpRequest) -> HttpResponse:
    """Our client ID metadata document. It is for everybody, and providers may keep it for an hour."""
    response = JsonResponse(client_document.document())
    response["Cache-Control"] = "public, max-age=3600"
    response["Access-Control-Allow-Origin"] = "*"
    return response
