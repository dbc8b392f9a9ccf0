"""An organization's pools of profiles: the list, one pool with whose turn it is, and what can be done with them."""

from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import DomainError
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.models.pools import SelectionStrategy
from agents_hub.services import pools as service
from agents_hub.services import surveys
from dashboard.frame import PAGE_SIZE, ConfirmForm, organization_of, page_number
from dashboard.sorting import Direction, sorting
from security.identifiers import uuid_or_none

COLUMNS: dict[str, Direction] = {"name": "asc", "created_at": "desc"}


class PoolForm(forms.Form):
    name = forms.CharField(max_length=255)
    selection_strategy = forms.ChoiceField(
        choices=SelectionStrategy.choices,
        widget=forms.RadioSelect,
        initial=SelectionStrategy.LEAST_RECENTLY_USED,
        help_text="Least recently used goes round all profiles. Most recently used stays with one while it is free.",
    )
    allow_concurrent_use = forms.BooleanField(
        label="Allow concurrent use",
        required=False,
        help_text="Several executions may hold the same profile. Otherwise one that is in use is passed over.",
    )


@require_safe
@login_required
def pool_list(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("search", "").strip()[:255]
    organization, order = organization_of(request), sorting(request, COLUMNS)
    page = surveys.survey_pools(
        caller(request),
        organization_id=organization.uid,
        search_name=search or None,
        sort_field=order.field,
        sort_direction=order.direction,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    context = {"page": page, "sorting": order, "search": search, "organization": organization}
    return render(request, "agents_hub/pools.html", context)


@require_safe
@login_required
def pool_page(request: HttpRequest, pool_id: UUID) -> HttpResponse:
    """The pool, and its profiles in the order in which they are picked."""
    who = caller(request)
    pool = service.get_pool(who, pool_id=pool_id)
    page = surveys.page_in_turn(who, pool_id=pool_id, page=page_number(request), page_size=PAGE_SIZE)
    return render(request, "agents_hub/pool.html", {"pool": pool, "page": page})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    form = PoolForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            pool = service.create_pool(caller(request), organization_id=organization.uid, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{pool.name} is created. Add the profiles that it chooses from.")
            return redirect("agents:pool", pool.pk)
    context = {"form": form, "organization": organization}
    return render(request, "agents_hub/pool_create.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, pool_id: UUID) -> HttpResponse:
    who = caller(request)
    pool = service.get_pool(who, pool_id=pool_id)
    shown = {name: getattr(pool, name) for name in PoolForm.base_fields}
    form = PoolForm(request.POST if request.method == "POST" else None, initial=shown)
    if form.is_valid():
        try:
            service.update_pool(who, pool_id=pool_id, **form.cleaned_data)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect("agents:pool", pool_id)
    context = {"form": form, "pool": pool}
    return render(request, "agents_hub/pool_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, pool_id: UUID) -> HttpResponse:
    """Say what will be gone, and ask for the name."""
    who = caller(request)
    pool = service.get_pool(who, pool_id=pool_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None, expected=pool.name)
    if form.is_valid():
        service.delete_pool(who, pool_id=pool_id)
        messages.success(request, f"{pool.name} is deleted. Its profiles are still there.")
        return redirect("agents:pools")
    context = {"form": form, "pool": pool, "members": pool.memberships.count()}
    return render(request, "agents_hub/pool_delete.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_members(request: HttpRequest, pool_id: UUID) -> HttpResponse:
    """The organization's profiles that are not in the pool; those ticked join it."""
    who = caller(request)
    pool = service.get_pool(who, pool_id=pool_id)
    is_sent = request.method == "POST"
    if is_sent and (ticked := _ticked(request)):
        service.add_members(who, pool_id=pool_id, profile_ids=ticked)
        joined = "One profile" if len(ticked) == 1 else f"{len(ticked)} profiles"
        messages.success(request, f"{joined} joined {pool.name}.")
        return redirect("agents:pool", pool_id)
    search = request.GET.get("search", "").strip()[:255]
    page = surveys.page_of_others(
        who, pool_id=pool_id, search_name=search or None, page=page_number(request), page_size=PAGE_SIZE
    )
    context = {"pool": pool, "page": page, "search": search, "is_refused": is_sent}
    return render(request, "agents_hub/pool_add.html", context, status=422 if is_sent else 200)


@require_POST
@login_required
def remove_member(request: HttpRequest, pool_id: UUID) -> HttpResponse:
    if ticked := _ticked(request):
        service.remove_members(caller(request), pool_id=pool_id, profile_ids=ticked)
    return redirect("agents:pool", pool_id)


def _ticked(request: HttpRequest) -> list[UUID]:
    """The profiles named in what was sent; what is no id of anything is passed over."""
    return [made for sent in request.POST.getlist("profile") if (made := uuid_or_none(sent))]
