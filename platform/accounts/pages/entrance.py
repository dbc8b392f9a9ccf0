"""Signing in, out and up."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import DomainError, Throttled, Unavailable
from accounts.models import User
from accounts.page_caller import visitor
from accounts.pages.forms import email_field, name_field, password_field, show_refusal
from accounts.services import pace, people
from accounts.services import sign_in as service

BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInForm(forms.Form):
    email = email_field()
    password = password_field()


class SignUpForm(forms.Form):
    name = name_field(required=False)
    email = email_field()
    password = password_field(is_new=True)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def sign_in(request: HttpRequest) -> HttpResponse:
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                user = service.sign_in(visitor(request), **form.cleaned_data)
            except DomainError as error:
                return refused(request, "accounts/sign_in.html", form, error, {"next": wanted(request)})
            return enter(request, user)
    context = {"form": form, "next": wanted(request), "may_sign_up": settings.SIGN_UP_OPEN}
    return render(request, "accounts/sign_in.html", context, status=status)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.info(request, "You are signed out.")
    return redirect("accounts:sign-in")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def sign_up(request: HttpRequest) -> HttpResponse:
    if not settings.SIGN_UP_OPEN:
        raise Http404("Sign-up is closed here.")
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            pace.check_pace(visitor(request), pace.SIGN_UPS_BY_ADDRESS)
            user = people.sign_up(visitor(request), open_to_all=True, **form.cleaned_data)
        except DomainError as error:
            return refused(request, "accounts/sign_up.html", form, error)
        return enter(request, user)
    return render(request, "accounts/sign_up.html", {"form": form}, status=422 if request.method == "POST" else 200)


def enter(request: HttpRequest, user: User) -> HttpResponseRedirect:
    """Begin the person's session and go where they were going."""
    login(request, user, backend=BACKEND)
    return HttpResponseRedirect(wanted(request) or resolve_url(settings.LOGIN_REDIRECT_URL))


def wanted(request: HttpRequest) -> str:
    """Where the visitor was going, if that is here."""
    target = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if safe else ""


def refused(
    request: HttpRequest, template: str, form: forms.Form, error: DomainError, context: dict[str, Any] | None = None
) -> HttpResponse:
    """The form again with what the service said."""
    show_refusal(form, error)
    shown = {"form": form, "may_sign_up": settings.SIGN_UP_OPEN, **(context or {})}
    status = {Throttled: 429, Unavailable: 503}.get(type(error), 422)
    response = render(request, template, shown, status=status)
    if "retry_after" in error.data:
        response["Retry-After"] = str(error.data["retry_after"])
    return response
