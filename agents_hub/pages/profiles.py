"""An organization's browser profiles: the list, one of them, and making, changing, copying, clearing, deleting it."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from accounts.caller import Caller
from accounts.errors import DomainError
from accounts.models import Organization, User
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from agents_hub.models import Profile
from agents_hub.models.profiles import ProxyMode
from agents_hub.models.search import named_like
from agents_hub.pages.profile_form import ProfileForm
from agents_hub.services import profiles as service
from agents_hub.services import surveys
from dashboard.frame import PAGE_SIZE, ConfirmForm, organization_of, page_number
from dashboard.jump import MOST_PER_SOURCE, Place
from dashboard.organizations import organizations_of
from dashboard.sorting import Direction, sorting

COLUMNS: dict[str, Direction] = {"name": "asc", "updated_at": "desc", "created_at": "desc"}
MODES = dict(ProxyMode.choices)


class DuplicateForm(forms.Form):
    organization = forms.TypedChoiceField(
        label="Organization", coerce=UUID, help_text="Where the copy goes. The original stays as it is."
    )

    def __init__(self, *args: Any, organizations: list[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(str(one.uid), one.name) for one in organizations]
        self.fields["organization"].choices = choices  # type: ignore[attr-defined]


def places(person: User, words: str) -> Iterable[Place]:
    """The profiles of all organizations the person belongs to, whose names hold every word typed."""
    profiles = Profile.objects.for_caller(Caller.system(person.pk)).select_related("organization")
    for word in words.split():
        profiles = named_like(profiles, word)
    for profile in profiles.order_by("name", "id")[:MOST_PER_SOURCE]:
        yield Place(profile.name, reverse("agents:profile", args=[profile.pk]), profile.organization.name)


@require_safe
@login_required
def profile_list(request: HttpRequest) -> HttpResponse:
    search = request.GET.get("search", "").strip()[:255]
    mode = request.GET.get("proxy", "")
    mode = mode if mode in MODES else ""
    organization, order = organization_of(request), sorting(request, COLUMNS)
    page = surveys.survey_profiles(
        caller(request),
        organization_id=organization.uid,
        search_name=search or None,
        proxy_mode=mode or None,
        sort_field=order.field,
        sort_direction=order.direction,
        page=page_number(request),
        page_size=PAGE_SIZE,
    )
    context = {
        "page": page,
        "sorting": order,
        "search": search,
        "mode": mode,
        "modes": MODES,
        "organization": organization,
        "is_narrowed": bool(search or mode),
    }
    return render(request, "agents_hub/profiles.html", context)


@require_safe
@login_required
def profile_page(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    """The profile: its settings, and beside them what it holds and what happened to it."""
    who = caller(request)
    profile = surveys.find_profile(who, profile_id)
    context = {
        "profile": profile,
        "credentials": list(profile.credentials.defer("value")),
        "cookies": surveys.page_of_cookies(who, profile_id=profile_id, page=page_number(request), page_size=PAGE_SIZE),
        "pools": list(profile.pools.order_by("name")),
        "history": surveys.history(who, profile_id=profile_id),
    }
    return render(request, "agents_hub/profile.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create(request: HttpRequest) -> HttpResponse:
    organization = organization_of(request)
    form = ProfileForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and (asked := form.to_create(organization.uid)):
        try:
            profile = service.create_profile(caller(request), profile=asked)
        except DomainError as error:
            form.show_refusal(error)
        else:
            messages.success(request, f"{profile.name} is created. Add the credentials and cookies it needs.")
            return redirect("agents:profile", profile.pk)
    context = {"form": form, "organization": organization}
    return render(request, "agents_hub/profile_create.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    who = caller(request)
    profile = surveys.find_profile(who, profile_id)
    form = ProfileForm(request.POST if request.method == "POST" else None, profile=profile)
    if form.is_valid() and (change := form.to_update(profile_id)):
        try:
            service.update_profile(who, change=change)
        except DomainError as error:
            form.show_refusal(error)
        else:
            return redirect("agents:profile", profile_id)
    context = {"form": form, "profile": profile}
    return render(request, "agents_hub/profile_edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def duplicate(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    """Say what a copy has of its own, and ask where it goes."""
    who = caller(request)
    profile = surveys.find_profile(who, profile_id)
    form = DuplicateForm(
        request.POST if request.method == "POST" else None,
        organizations=organizations_of(request),
        initial={"organization": str(profile.organization.uid)},
    )
    if form.is_valid():
        try:
            copy = service.duplicate_profile(
                who, profile_id=profile_id, organization_id=form.cleaned_data["organization"]
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, f"{copy.name} is a copy of {profile.name}.")
            return redirect("agents:profile", copy.pk)
    context = {"form": form, "profile": profile}
    return render(request, "agents_hub/profile_duplicate.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def clear_cache(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    """Say what will be forgotten, then forget it."""
    who = caller(request)
    profile = surveys.find_profile(who, profile_id)
    if request.method == "POST":
        service.clear_browser_cache(who, profile_id=profile_id)
        messages.success(request, f"The browser cache of {profile.name} is cleared.")
        return redirect("agents:profile", profile_id)
    return render(request, "agents_hub/profile_clear_cache.html", {"profile": profile})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    """Say what will be gone, and ask for the name."""
    who = caller(request)
    profile = surveys.find_profile(who, profile_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None, expected=profile.name)
    if form.is_valid():
        service.delete_profile(who, profile_id=profile_id)
        messages.success(request, f"{profile.name} is deleted.")
        return redirect("agents:profiles")
    context = {
        "form": form,
        "profile": profile,
        "credentials": profile.credentials.count(),
        "cookies": profile.cookies.count(),
        "pools": profile.pools.count(),
    }
    return render(request, "agents_hub/profile_delete.html", context, status=422 if form.errors else 200)
