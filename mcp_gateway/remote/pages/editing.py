"""What only admins do with a server: add it, edit it, switch it off and on, delete it."""

from typing import Any

from asgiref.sync import async_to_sync
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import ValidationError

from accounts.caller import Caller
from accounts.errors import DomainError, Forbidden
from accounts.page_caller import caller
from accounts.services.organizations import is_admin
from dashboard.frame import ConfirmForm, organization_of
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.oauth.client_document import callback_url, document_url
from mcp_gateway.remote.pages.cards import Note
from mcp_gateway.remote.pages.forms import ServerForm, settings_of
from mcp_gateway.remote.pages.testing import note_of
from mcp_gateway.remote.services import servers as service
from mcp_gateway.remote.services import testing
from mcp_gateway.remote.shapes import CreateServer, ServerDraft, UpdateServer

TEST = "test"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add(request: HttpRequest) -> HttpResponse:
    """The form; a POST adds the server, or tests what was entered without saving it."""
    who = caller(request)
    organization = organization_of(request)
    _admins_only(who, organization.pk)
    form = ServerForm(request.POST or None)
    note = None
    if request.method == "POST" and form.is_valid():
        given = {"organization_id": organization.uid, **form.settings}
        try:
            if request.POST.get("act") == TEST:
                note = _tried(who, given)
            else:
                server = service.create_server(who, server=CreateServer(**given))
                messages.success(request, _next_step(server))
                return redirect("mcp_gateway:remote-server", server.pk)
        except ValidationError as error:
            form.show_faults(error)
        except DomainError as error:
            form.show_refusal(error)
    context = {"form": form, "organization": organization, "note": note}
    return _form_page(request, "mcp_gateway/remote/add.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, server_id: int) -> HttpResponse:
    who = caller(request)
    server = service.find_server(who, server_id=server_id)
    _admins_only(who, server.organization_id)
    form = ServerForm(request.POST or None, initial=settings_of(server))
    form.say_stored(server)
    note = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("act") == TEST:
                given = {"organization_id": server.organization.uid, "server_id": server_id, **form.settings}
                note = _tried(who, given)
            else:
                edited = service.update_server(who, change=UpdateServer(server_id=server_id, **form.settings))
                _say_what_was_dropped(request, edited.dropped)
                messages.success(request, f"{edited.server.name} is saved.")
                return redirect("mcp_gateway:remote-server", server_id)
        except ValidationError as error:
            form.show_faults(error)
        except DomainError as error:
            form.show_refusal(error)
    context = {"form": form, "server": server, "note": note}
    return _form_page(request, "mcp_gateway/remote/edit.html", context)


@require_POST
@login_required
def enable(request: HttpRequest, server_id: int) -> HttpResponse:
    enabled = request.POST.get("enabled") == "1"
    server = service.set_enabled(caller(request), server_id=server_id, enabled=enabled)
    said = "is enabled again" if enabled else "is disabled. Nothing calls it; connections and decisions are kept"
    messages.success(request, f"{server.name} {said}.")
    if request.POST.get("back") == "list":
        return redirect("mcp_gateway:integrations")
    return redirect("mcp_gateway:remote-server", server_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, server_id: int) -> HttpResponse:
    """Say what will be gone, and ask for the name."""
    who = caller(request)
    server = service.find_server(who, server_id=server_id)
    _admins_only(who, server.organization_id)
    form = ConfirmForm(request.POST or None, expected=server.name)
    if request.method == "POST" and form.is_valid():
        service.delete_server(who, server_id=server_id)
        messages.success(request, f"{server.name} is deleted.")
        return redirect("mcp_gateway:integrations")
    context = {"form": form, "server": server, "connections": server.connections.count()}
    return render(request, "mcp_gateway/remote/delete.html", context, status=422 if form.errors else 200)


def _admins_only(who: Caller, organization_id: int) -> None:
    """Spare members a form that the services would refuse."""
    if not is_admin(who, organization_id):
        raise Forbidden("Only admins add, change and delete servers. Ask an admin of your organization.")


def _tried(who: Caller, given: dict[str, Any]) -> Note:
    return note_of(async_to_sync(testing.test_configuration)(who, draft=ServerDraft(**given)))


def _next_step(server: RemoteServer) -> str:
    step = "Connect your account to use it" if server.needs_sign_in else "Test it with the play button"
    return f"{server.name} is added. {step}."


def _say_what_was_dropped(request: HttpRequest, dropped: tuple[str, ...]) -> None:
    if dropped:
        names = ", ".join(dropped)
        messages.warning(request, f"The stored {names} went with the old address or client. Enter what is needed anew.")


def _form_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    addresses = {"callback_url": callback_url(), "client_document_url": document_url()}
    return render(request, template, {**addresses, **context}, status=422 if context["form"].errors else 200)
