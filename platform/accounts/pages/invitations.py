"""Invitations: made and revoked by admins; opened by whoever has the link, with the account they have or a new one."""

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError
from accounts.models import User
from accounts.page_caller import caller, visitor
from accounts.pages.entrance import enter, refused
from accounts.pages.forms import email_field, name_field, password_field, role_field, show_refusal
from accounts.pages.organizations import organization_page
from accounts.services import invitations as service
from accounts.services import organizations, pace
from security import once


class InviteForm(forms.Form):
    role = role_field()
    email = email_field(required=False, help_text="When given, only this address can accept.")
    token = forms.CharField(widget=forms.HiddenInput, required=False)


class JoinForm(forms.Form):
    """An account for the invited; an invitation for one address leaves them no other."""

    name = name_field(required=False)
    email = email_field()
    password = password_field(is_new=True)

    def bind_to(self, address: str) -> None:
        if address:
            self.fields["email"].disabled = True
            self.fields["email"].initial = address


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def invite(request: HttpRequest, slug: str) -> HttpResponse:
    """The form, and in answer to it the link, this once."""
    found = organizations.find_organization(caller(request), slug)
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not once.spend(request, form.cleaned_data["token"]):
            messages.warning(request, "This form was sent already; its link was shown that one time.")
            return redirect("accounts:organization", slug)
        try:
            made = service.create_invitation(
                caller(request),
                organization_id=found.pk,
                role=form.cleaned_data["role"],
                email=form.cleaned_data["email"],
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            link = settings.PUBLIC_URL + reverse("accounts:invitation", args=[made.token])
            context = {"tab": "accounts:organizations", "invitation": made.invitation, "link": link}
            return render(request, "accounts/invitation_made.html", {**context, "shown_organization": found})
    return organization_page(request, "accounts/invite.html", found, {"form": form, "token": once.issue(request)})


@require_POST
@login_required
def revoke(request: HttpRequest, slug: str, invitation_id: int) -> HttpResponse:
    found = organizations.find_organization(caller(request), slug)
    try:
        service.revoke_invitation(caller(request), organization_id=found.pk, invitation_id=invitation_id)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The invitation is revoked; its link no longer works.")
    return redirect("accounts:organization", slug)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def accept(request: HttpRequest, token: str) -> HttpResponse:
    """What the link opens: who invites to what, and a button or a form to join."""
    invitation = service.find_open(token)
    context: dict[str, object] = {"invitation": invitation}
    if isinstance(request.user, User):
        if request.method == "POST":
            try:
                service.accept_invitation(caller(request), token=token)
            except DomainError as error:
                messages.error(request, error.message)
            else:
                messages.success(request, f"You belong to {invitation.organization.name} now.")
            return redirect("dashboard:home")
        return render(request, "accounts/invitation.html", context)
    form = JoinForm(request.POST or None)
    form.bind_to(invitation.email)
    if request.method == "POST" and form.is_valid():
        try:
            pace.check_pace(visitor(request), pace.SIGN_UPS_BY_ADDRESS)
            user = service.accept_with_new_account(visitor(request), token=token, **form.cleaned_data)
        except DomainError as error:
            return refused(request, "accounts/invitation.html", form, error, context)
        return enter(request, user)
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/invitation.html", {**context, "form": form}, status=status)
