"""What a profile holds: credentials are added, replaced and deleted, cookies added and deleted. No value is shown."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django import forms
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods
from pydantic import ValidationError

from accounts.errors import DomainError, NotFound
from accounts.page_caller import caller
from agents_hub.models import ProfileCookie, ProfileCredential
from agents_hub.models.profiles import SameSite
from agents_hub.services import profiles as service
from agents_hub.services import surveys
from agents_hub.shapes.profiles import UpdateProfile
from dashboard.frame import ConfirmForm
from dashboard.secret_field import SecretField

Typed = Mapping[str, Any]
P = TypeVar("P", ProfileCredential, ProfileCookie)


class SecretForm(forms.Form):
    secret = SecretField(
        label="Secret",
        required=True,
        max_length=16_384,
        help_text="A password, a key, a token. It is sealed when it is stored and never shown.",
    )


class CredentialForm(SecretForm):
    name = forms.CharField(
        max_length=255,
        help_text="Executions ask for it by this name. It is kept in upper case.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    field_order = ("name", "secret")


class CookieForm(forms.Form):
    name = forms.CharField(max_length=255, help_text="What people here call it.")
    key = forms.CharField(max_length=255, help_text="The name that is sent to the site.")
    value = SecretField(label="Value", max_length=4096)
    domain = forms.CharField(max_length=253, help_text="The site it is for, such as example.com.")
    expiry = forms.DateTimeField(
        label="Expires (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Without a time it lasts as long as the browser is open.",
    )
    same_site = forms.ChoiceField(label="SameSite", choices=SameSite.choices, initial=SameSite.LAX)
    secure = forms.BooleanField(label="Over https alone", required=False, initial=True)
    http_only = forms.BooleanField(label="Hidden from the site's scripts (HttpOnly)", required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_credential(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    def asked(typed: Typed) -> Typed:
        return {"credentials_to_add": [{"name": typed["name"], "data": typed["secret"]}]}

    form = CredentialForm(_sent(request))
    return _page(request, "credential_add", profile_id, form, asked)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def replace_credential(request: HttpRequest, profile_id: UUID, credential_id: UUID) -> HttpResponse:
    credential = _part(ProfileCredential.objects.for_caller(caller(request)), profile_id, credential_id)

    def asked(typed: Typed) -> Typed:
        return {"credentials_to_update": [{"name": credential.name, "data": typed["secret"]}]}

    return _page(request, "credential_replace", profile_id, SecretForm(_sent(request)), asked, credential)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_credential(request: HttpRequest, profile_id: UUID, credential_id: UUID) -> HttpResponse:
    credential = _part(ProfileCredential.objects.for_caller(caller(request)), profile_id, credential_id)
    form = ConfirmForm(_sent(request), expected=credential.name)
    return _page(
        request, "credential_delete", profile_id, form, lambda _: {"credentials_to_delete": [credential_id]}, credential
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def add_cookie(request: HttpRequest, profile_id: UUID) -> HttpResponse:
    return _page(
        request, "cookie_add", profile_id, CookieForm(_sent(request)), lambda typed: {"cookies_to_add": [typed]}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete_cookie(request: HttpRequest, profile_id: UUID, cookie_id: UUID) -> HttpResponse:
    cookie = _part(ProfileCookie.objects.for_caller(caller(request)), profile_id, cookie_id)
    form = ConfirmForm(_sent(request), expected=cookie.name)
    return _page(request, "cookie_delete", profile_id, form, lambda _: {"cookies_to_delete": [cookie_id]}, cookie)


def _page(
    request: HttpRequest,
    template: str,
    profile_id: UUID,
    form: forms.Form,
    asked: Callable[[Typed], Typed],
    part: ProfileCredential | ProfileCookie | None = None,
) -> HttpResponse:
    """The form; sent and found good, the change to the profile that `asked` makes of it."""
    who = caller(request)
    profile = surveys.find_profile(who, profile_id)
    if form.is_valid():
        try:
            change = UpdateProfile.model_validate({"profile_id": profile_id, **asked(form.cleaned_data)})
            service.update_profile(who, change=change)
        except ValidationError as error:
            for misfit in error.errors():
                form.add_error(None, f"{misfit['loc'][-1]}: {misfit['msg']}.")
        except DomainError as error:
            form.add_error("name" if "name" in form.fields else None, error.message)
        else:
            return redirect("agents:profile", profile_id)
    context = {"form": form, "profile": profile, "part": part}
    return render(request, f"agents_hub/{template}.html", context, status=422 if form.errors else 200)


def _part(parts: "QuerySet[P]", profile_id: UUID, part_id: UUID) -> P:
    part = parts.defer("value").filter(profile_id=profile_id, pk=part_id).first()
    if part is None:
        raise NotFound("The profile has nothing with this id. It may have been deleted meanwhile.")
    return part


def _sent(request: HttpRequest) -> Typed | None:
    return request.POST if request.method == "POST" else None
