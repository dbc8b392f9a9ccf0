"""Control Hub > Webhooks: an organization's endpoints, one with its deliveries, and what admins do with it."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from accounts.services.organizations import is_admin
from agents_hub.models import Agent
from agents_hub.services.agents import list_agents
from dashboard.frame import organization_of
from dashboard.paging import keyset_page
from security import once
from workflows.models import WebhookEndpoint
from workflows.pages.webhook_forms import EndpointForm, settings_of
from workflows.services import webhooks as service
from workflows.webhooks.claims import under_way

LIST = "workflows:webhooks"
PAGE = "workflows:webhook"
# Those offered to choose from, besides those that are chosen already.
MOST_CHOICES = 200
SENT_ALREADY = "This form was sent already; its secret was shown that one time. Rotate it if you need another."


@require_safe
@login_required
def endpoint_list(request: HttpRequest) -> HttpResponse:
    who, organization = caller(request), organization_of(request)
    admin = is_admin(who, organization.pk)
    endpoints = service.list_endpoints(who, organization_id=organization.uid) if admin else []
    context = {"organization": organization, "endpoints": endpoints, "is_admin": admin}
    return render(request, "workflows/webhooks.html", context)


@require_safe
@login_required
def endpoint_page(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    who = caller(request)
    endpoint = service.find_endpoint(who, endpoint_id)
    page = keyset_page(request, service.list_deliveries(who, endpoint_id=endpoint_id))
    context = {
        "endpoint": endpoint,
        "agents": endpoint.agents.order_by("name") if not endpoint.every_agent else [],
        "page": page,
        "is_moving": endpoint.enabled and under_way(page.rows),
    }
    return render(request, "workflows/webhook.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """The form, and in answer to it the secret in clear, this once."""
    who, organization = caller(request), organization_of(request)
    service.list_endpoints(who, organization_id=organization.uid)  # spares members a form that would be refused
    form = EndpointForm(request.POST or None, agents=_choices(request))
    if request.method == "POST" and form.is_valid():
        if not once.spend(request, request.POST.get("token", "")):
            return _sent_already(request)
        try:
            made = service.create_endpoint(who, organization_id=organization.uid, given=form.given())
        except DomainError as error:
            show_refusal(form, error)
        else:
            return render(request, "workflows/webhook_secret.html", {"made": made})
    context = {"form": form, "organization": organization, "token": once.issue(request)}
    return render(request, "workflows/webhook_new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    who = caller(request)
    endpoint = service.find_endpoint(who, endpoint_id)
    form = EndpointForm(request.POST or None, agents=_choices(request, endpoint), initial=settings_of(endpoint))
    if request.method == "POST" and form.is_valid():
        try:
            service.update_endpoint(who, endpoint_id=endpoint_id, given=form.given())
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "The webhook is saved.")
            return redirect(PAGE, endpoint_id)
    context = {"form": form, "endpoint": endpoint}
    return render(request, "workflows/webhook_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def rotate(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    who = caller(request)
    endpoint = service.find_endpoint(who, endpoint_id)
    if request.method == "POST":
        if not once.spend(request, request.POST.get("token", "")):
            return _sent_already(request)
        made = service.rotate_secret(who, endpoint_id=endpoint_id)
        return render(request, "workflows/webhook_secret.html", {"made": made, "is_rotated": True})
    context = {"endpoint": endpoint, "token": once.issue(request), "hours": service.OVERLAP.total_seconds() / 3600}
    return render(request, "workflows/webhook_rotate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    who = caller(request)
    endpoint = service.find_endpoint(who, endpoint_id)
    if request.method == "POST":
        service.delete_endpoint(who, endpoint_id=endpoint_id)
        messages.success(request, "The webhook is deleted. Nothing more is sent there.")
        return redirect(LIST)
    return render(request, "workflows/webhook_delete.html", {"endpoint": endpoint})


@require_POST
@login_required
def send_test(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    try:
        service.send_test(caller(request), endpoint_id=endpoint_id)
    except DomainError as error:
        _say(request, error)
    else:
        messages.success(request, "A test event is on its way. The result appears below within seconds.")
    return redirect(PAGE, endpoint_id)


@require_POST
@login_required
def send_again(request: HttpRequest, endpoint_id: UUID, delivery_id: int) -> HttpResponse:
    try:
        service.send_again(caller(request), endpoint_id=endpoint_id, delivery_id=delivery_id)
    except DomainError as error:
        _say(request, error)
    else:
        messages.success(request, "The event is sent again. The result appears below within seconds.")
    return redirect(PAGE, endpoint_id)


def _say(request: HttpRequest, error: DomainError) -> None:
    """Say on the endpoint's page why not, unless the person may not see that page at all."""
    if error.code in ("not_found", "forbidden"):
        raise error
    messages.error(request, error.message)


def _choices(request: HttpRequest, endpoint: WebhookEndpoint | None = None) -> Sequence[Agent]:
    """The organization's agents by name; of very many the first, and those that are chosen."""
    organization = endpoint.organization if endpoint else organization_of(request)
    offered = list_agents(
        caller(request),
        organization_id=organization.uid,
        sort_field="name",
        sort_direction="asc",
        page_size=MOST_CHOICES,
    ).rows
    chosen = endpoint.agents.order_by("name") if endpoint else ()
    return list({agent.pk: agent for agent in (*offered, *chosen)}.values())


def _sent_already(request: HttpRequest) -> HttpResponse:
    messages.warning(request, SENT_ALREADY)
    return redirect(LIST)
