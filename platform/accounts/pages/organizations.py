"""Organizations: the ones a person belongs to, and one's members with their roles."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError, NotFound
from accounts.models import Organization, Role
from accounts.page_caller import caller, person
from accounts.pages.forms import role_field, show_refusal
from accounts.pages.frame import settings_page
from accounts.services import organizations as service

TAB = "accounts:organizations"


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": "Give the organization a name."},
    )


class RoleForm(forms.Form):
    role = role_field()


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """Those one belongs to, and the form that founds another."""
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            founded = service.create_organization(caller(request), name=form.cleaned_data["name"])
        except DomainError as error:
            show_refusal(form, error)
        else:
            return redirect("accounts:organization", founded.slug)
    memberships = person(request).memberships.select_related("organization").order_by("organization__name")
    status = 422 if request.method == "POST" else 200
    context = {"memberships": memberships, "form": form}
    return settings_page(request, "accounts/organizations.html", context, tab=TAB, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def organization(request: HttpRequest, slug: str) -> HttpResponse:
    """One organization: its name, members and open invitations."""
    found = service.find_organization(caller(request), slug)
    form = NameForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        try:
            service.rename_organization(caller(request), organization_id=found.pk, name=form.cleaned_data["name"])
        except DomainError as error:
            show_refusal(form, error)
        else:
            messages.success(request, "The organization is renamed.")
            return redirect("accounts:organization", slug)
    return organization_page(request, "accounts/organization.html", found, {"form": form})


@require_POST
@login_required
def set_role(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    found = service.find_organization(caller(request), slug)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "A member's role is admin or member.")
        return redirect("accounts:organization", slug)
    try:
        changed = service.set_role(
            caller(request), organization_id=found.pk, user_id=user_id, role=form.cleaned_data["role"]
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{changed.user.get_full_name()} is now {changed.get_role_display().lower()}.")
    return redirect("accounts:organization", slug)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def remove(request: HttpRequest, slug: str, user_id: int) -> HttpResponse:
    """Take a member out, or leave; asked once more first."""
    found = service.find_organization(caller(request), slug)
    membership = found.memberships.select_related("user").filter(user_id=user_id).first()
    if membership is None:
        raise NotFound(f"{found.name} has no such member.")
    leaves = user_id == person(request).pk
    if request.method == "POST":
        try:
            service.remove_member(caller(request), organization_id=found.pk, user_id=user_id)
        except DomainError as error:
            messages.error(request, error.message)
            return redirect("accounts:organization", slug)
        if leaves:
            messages.success(request, f"You have left {found.name}.")
            return redirect(TAB)
        messages.success(request, f"{membership.user.get_full_name()} is no longer a member.")
        return redirect("accounts:organization", slug)
    context = {"membership": membership, "leaves": leaves}
    return organization_page(request, "accounts/member_remove.html", found, context)


def organization_page(
    request: HttpRequest, template: str, found: Organization, context: dict[str, Any]
) -> HttpResponse:
    """A page of one organization, with what each needs: its people, and whether the viewer is an admin."""
    memberships = found.memberships.select_related("user").order_by("role", "user__email")
    own = next((one for one in memberships if one.user_id == person(request).pk), None)
    shown = {
        "shown_organization": found,
        "memberships": memberships,
        "is_admin": bool(own and own.is_admin),
        "admins": sum(one.is_admin for one in memberships),
        "invitations": found.invitations.open().select_related("created_by").order_by("-created_at"),
        "roles": Role.choices,
        **context,
    }
    return settings_page(request, template, shown, tab=TAB, status=422 if request.method == "POST" else 200)
