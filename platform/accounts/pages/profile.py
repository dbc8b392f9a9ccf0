"""A person's own name, address and password; and the plan they are on with what they used of it."""

from typing import cast

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import DomainError, Invalid
from accounts.models import AddressChange, Plan, Subscription
from accounts.page_caller import caller, person
from accounts.pages.forms import email_field, name_field, password_field, show_refusal
from accounts.pages.frame import settings_page
from accounts.services import addresses, people, plans
from accounts.tasks import mail_address_asked, mail_address_changed, send_later


class NameForm(forms.Form):
    name = name_field("What we call you", required=False)


class AddressForm(forms.Form):
    email = email_field("Sign in with", help_text="We mail a link to it. It takes effect once you have opened that.")
    current = password_field("Current password")


class PasswordForm(forms.Form):
    current = password_field("Current password")
    password = password_field("New password", is_new=True)


FORMS: dict[str, type[forms.Form]] = {"name": NameForm, "address": AddressForm, "password": PasswordForm}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("current", "password")
@login_required
def profile(request: HttpRequest) -> HttpResponse:
    """Three forms on one page; the button that was pressed says which one was sent."""
    user = person(request)
    sent = request.POST.get("form", "") if request.method == "POST" else ""
    if sent == "keep-address":
        addresses.forget_change(caller(request))
        messages.success(request, f"You go on signing in as {user.email}.")
        return redirect("accounts:profile")
    initial = {"name": user.name, "email": user.email}
    shown = {
        name: form_class(request.POST if name == sent else None, initial=initial, prefix=name)
        for name, form_class in FORMS.items()
    }
    if sent in shown and shown[sent].is_valid():
        try:
            messages.success(request, _change(request, sent, shown[sent]))
        except DomainError as error:
            show_refusal(shown[sent], error)
        else:
            return redirect("accounts:profile")
    status = 422 if request.method == "POST" else 200
    waiting = AddressChange.objects.for_caller(caller(request)).open().first()
    context = {"forms": shown, "waiting": waiting}
    return settings_page(request, "accounts/profile.html", context, tab="accounts:profile", status=status)


def _change(request: HttpRequest, what: str, form: forms.Form) -> str:
    """Carry out what a valid form asks for. Returns what to tell the person."""
    given = form.cleaned_data
    if what == "name":
        people.change_name(caller(request), name=given["name"])
        return "Your name is changed."
    if what == "address":
        change = addresses.ask_for_address(caller(request), email=given["email"], password=given["current"])
        send_later(mail_address_asked, change.pk)
        return f"A link is on its way to {change.email}. Open it within a day; until then nothing changes."
    user = people.change_password(caller(request), current=given["current"], new=given["password"])
    update_session_auth_hash(request, user)
    return "Your password is changed. Every other session has ended."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link leads that was mailed. A mail's reader may open it unasked, so that it takes a button to act."""
    change = addresses.find_change(caller(request), token)
    if request.method == "POST":
        try:
            old = addresses.confirm_address(caller(request), token=token)
            send_later(mail_address_changed, person(request).pk, old)
        except Invalid as error:  # somebody else took the address meanwhile
            messages.error(request, error.message)
        else:
            messages.success(request, f"Sign in as {change.email} from now on.")
        return redirect("accounts:profile")
    return settings_page(request, "accounts/confirm_address.html", {"change": change}, tab="accounts:profile")


@require_safe
@login_required
def plan(request: HttpRequest) -> HttpResponse:
    user = person(request)
    held = plans.plan_of(user.pk)
    limits = [(capfirst(Plan.limit_label(name)), held.limit(name)) for name in Plan.LIMITS]
    allowance = plans.token_allowance(user.pk)
    subscription = cast(Subscription | None, getattr(user, "subscription", None))
    context = {"plan": held, "limits": limits, "allowance": allowance, "subscription": subscription}
    return settings_page(request, "accounts/plan.html", context, tab="accounts:plan")
