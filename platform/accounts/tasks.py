"""Background work of accounts: mails, which are sent apart from the request that caused them."""

from typing import Any

from celery import Task, shared_task
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts.errors import Unavailable
from accounts.models import AddressChange, User
from accounts.services.addresses import link_token
from accounts.services.sign_in import reset_path_parts


@shared_task(ignore_result=True)
def mail_password_reset(user_id: int) -> None:
    """Mail a reset link. For nobody (0) it does nothing: the asking costs the same either way."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return
    who, token = reset_path_parts(user)
    link = settings.PUBLIC_URL + reverse("accounts:password-reset-choose", args=[who, token])
    minutes = settings.PASSWORD_RESET_TIMEOUT // 60
    _mail(user.email, "Choose a new password", "password_reset", {"user": user, "link": link, "minutes": minutes})


@shared_task(ignore_result=True)
def mail_address_asked(change_id: int) -> None:
    """Mail the link to the new address, and tell the old one, in case it was not its owner who asked."""
    change = AddressChange.objects.open().select_related("user").filter(pk=change_id).first()
    if change is None:
        return
    link = settings.PUBLIC_URL + reverse("accounts:confirm-address", args=[link_token(change)])
    _mail(change.email, "Confirm your e-mail address", "address_confirm", {"user": change.user, "link": link})
    _mail(change.user.email, "Your e-mail address is to be changed", "address_asked", {"change": change})


@shared_task(ignore_result=True)
def mail_address_changed(user_id: int, old_address: str) -> None:
    """Tell the address a person no longer uses, in case it was not they who changed it."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        _mail(old_address, "Your e-mail address was changed", "address_changed", {"user": user})


def send_later(task: "Task[Any, Any]", *arguments: object) -> None:
    """Hand a mail to the background; Unavailable where the broker does not take it."""
    try:
        task.delay(*arguments)
    except OperationalError:
        raise Unavailable("Mails cannot be sent just now. Try again in a few minutes.") from None


def _mail(to: str, subject: str, template: str, context: dict[str, object]) -> None:
    body = render_to_string(f"accounts/mail/{template}.txt", {**context, "home": settings.PUBLIC_URL})
    send_mail(subject, body, None, [to])
