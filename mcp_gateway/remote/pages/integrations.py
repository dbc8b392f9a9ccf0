"""Integrations: the organization's servers as cards, what each says, and examples to begin with."""

from collections.abc import Mapping

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.services.organizations import is_admin
from dashboard.frame import PAGE_SIZE, organization_of, page_number
from mcp_gateway.remote import catalogue
from mcp_gateway.remote.pages.cards import Note, cards
from mcp_gateway.remote.services import servers as service


@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    return show(request)


def show(request: HttpRequest, notes: Mapping[int, Note] | None = None) -> HttpResponse:
    """The page, with what was just found out about a server on its card."""
    who = caller(request)
    organization = organization_of(request)
    search = request.GET.get("search", "").strip()[:100]
    page = service.list_servers(
        who,
        organization_id=organization.uid,
        search_name=search or None,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    admin = is_admin(who, organization.pk)
    context = {
        "organization": organization,
        "page": page,
        "cards": cards(page.rows, notes),
        "search": search,
        "is_admin": admin,
        "examples": catalogue.examples(who, organization_id=organization.uid) if admin else [],
        "back": "list",
    }
    return render(request, "mcp_gateway/remote/integrations.html", context)


@require_POST
@login_required
def add_example(request: HttpRequest, example: str) -> HttpResponse:
    """One click: a server of the catalogue becomes one of the organization's."""
    try:
        server = catalogue.add_example(caller(request), organization_id=organization_of(request).uid, slug=example)
    except DomainError as error:
        messages.error(request, error.message)
        return redirect("mcp_gateway:integrations")
    messages.success(request, f"{server.name} is added. Test it with the play button.")
    return redirect("mcp_gateway:integrations")
