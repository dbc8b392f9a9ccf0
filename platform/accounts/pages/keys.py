"""API keys at `/dashboard/settings`: listed, made, rotated, revoked; and how clients are told of one."""

from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.clients import client_setups
from accounts.errors import DomainError, NotFound
from accounts.models import ApiKey
from accounts.page_caller import caller
from accounts.pages.forms import show_refusal
from accounts.pages.frame import settings_page
from accounts.scopes import Scope
from accounts.services import keys as service
from security import once

TAB = "accounts:settings"
MEANINGS = {"active": "ok", "expiring": "warn", "expired": "", "revoked": "error"}
SCOPES = (
    (Scope.READ, "Read: look at everything, change nothing"),
    (Scope.WRITE, "Write: also act, such as closing tickets, moderating and making gift codes"),
    (Scope.ADMIN, "Admin: everything you may do yourself"),
)
LIFETIMES = ((30, "30 days"), (90, "90 days"), (365, "A year"), (0, "Never"))
OVERLAPS = ((0, "At once"), (1, "After an hour"), (24, "After a day"), (168, "After a week"))
SENT_ALREADY = "This form was sent already; its key was shown that one time."


class NewKeyForm(forms.Form):
    name = forms.CharField(
        max_length=60,
        help_text="What will use it, so that you know which one to revoke.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Give the key a name."},
    )
    scope = forms.TypedChoiceField(choices=SCOPES, coerce=Scope, initial=Scope.READ, widget=forms.RadioSelect)
    lifetime = forms.TypedChoiceField(label="Expires", choices=LIFETIMES, coerce=int, initial=90)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


class RotateForm(forms.Form):
    overlap = forms.TypedChoiceField(
        label="The old key stops working",
        choices=OVERLAPS,
        coerce=int,
        initial=24,
        help_text="Time to put the new key wherever the old one is used.",
    )
    token = forms.CharField(widget=forms.HiddenInput, required=False)


@require_safe
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    lines = [(key, MEANINGS[key.status]) for key in service.list_keys(caller(request))]
    return settings_page(request, "accounts/keys.html", {"lines": lines, "setups": client_setups()}, tab=TAB)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def create(request: HttpRequest) -> HttpResponse:
    """The form, and in answer to it the key in clear, this once: sending it again makes no other."""
    form = NewKeyForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not once.spend(request, form.cleaned_data["token"]):
            return _sent_already(request)
        days = form.cleaned_data["lifetime"]
        expires_at = timezone.now() + timedelta(days=days) if days else None
        try:
            made = service.create_key(
                caller(request), name=form.cleaned_data["name"], scope=form.cleaned_data["scope"], expires_at=expires_at
            )
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _shown_once(request, made)
    return _form(request, "accounts/key_new.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def rotate(request: HttpRequest, key_id: int) -> HttpResponse:
    key = _own(request, key_id)
    form = RotateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        if not once.spend(request, form.cleaned_data["token"]):
            return _sent_already(request)
        try:
            overlap = timedelta(hours=form.cleaned_data["overlap"])
            made = service.rotate_key(caller(request), key_id=key_id, overlap=overlap)
        except DomainError as error:
            show_refusal(form, error)
        else:
            return _shown_once(request, made, replaced=_own(request, key_id))
    return _form(request, "accounts/key_rotate.html", form, key=key)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    key = _own(request, key_id)
    if request.method == "POST":
        try:
            service.revoke_key(caller(request), key_id=key_id)
        except DomainError as error:
            messages.warning(request, error.message)
        else:
            messages.success(request, f"Revoked {key.name}. It no longer works.")
        return redirect(TAB)
    return settings_page(request, "accounts/key_revoke.html", {"key": key}, tab=TAB)


def _form(request: HttpRequest, template: str, form: forms.Form, **context: ApiKey) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return settings_page(
        request, template, {"form": form, "token": once.issue(request), **context}, tab=TAB, status=status
    )


def _shown_once(request: HttpRequest, made: service.NewKey, replaced: ApiKey | None = None) -> HttpResponse:
    context = {"key": made.key, "text": made.text, "replaced": replaced, "setups": client_setups(made.text)}
    return settings_page(request, "accounts/key_made.html", context, tab=TAB)


def _sent_already(request: HttpRequest) -> HttpResponse:
    messages.warning(request, SENT_ALREADY)
    return redirect(TAB)


def _own(request: HttpRequest, key_id: int) -> ApiKey:
    key = ApiKey.objects.for_caller(caller(request)).filter(pk=key_id).first()
    if key is None:
        raise NotFound("There is no such key of yours. It may have been deleted.")
    return key
