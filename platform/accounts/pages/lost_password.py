"""Getting back in without the password: asking for a link by mail, and choosing a new password with it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.views import INTERNAL_RESET_SESSION_TOKEN, PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from accounts.errors import DomainError
from accounts.models import User
from accounts.page_caller import visitor
from accounts.pages.entrance import refused
from accounts.pages.forms import email_field, password_field, show_refusal
from accounts.services import people
from accounts.services.sign_in import ask_for_reset
from accounts.tasks import mail_password_reset, send_later


class AskForm(forms.Form):
    email = email_field()


class NewPasswordForm(forms.Form):
    """A new password for the person whom the link was made for; Django's view passes them in."""

    password = password_field("New password", is_new=True)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """Answered alike whether or not somebody has the address: in words, and in work done before the answer."""
    form = AskForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user_id = ask_for_reset(visitor(request), email=form.cleaned_data["email"])
            send_later(mail_password_reset, user_id)
        except DomainError as error:
            return refused(request, "accounts/password_reset.html", form, error)
        return redirect("accounts:password-reset-sent")
    status = 422 if request.method == "POST" else 200
    return render(request, "accounts/password_reset.html", {"form": form}, status=status)


def sent(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/password_reset_sent.html")


class Choose(PasswordResetConfirmView):
    """Django's view checks the link and moves its token out of the address; the service sets the password."""

    form_class = NewPasswordForm  # type: ignore[assignment]
    template_name = "accounts/password_reset_choose.html"
    success_url = reverse_lazy("accounts:sign-in")

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            people.set_password(visitor(self.request), form.user, form.cleaned_data["password"])
        except DomainError as error:
            show_refusal(form, error)
            return self.form_invalid(form)
        self.request.session.pop(INTERNAL_RESET_SESSION_TOKEN, None)
        messages.success(self.request, "Your password is changed. Sign in with the new one.")
        return redirect(self.get_success_url())

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
