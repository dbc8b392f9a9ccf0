"""Signing in with e-mail and password, and getting back in without one. Both are throttled by address and by account,
and neither tells whether an account exists."""

from django.contrib.auth import authenticate
from django.contrib.auth.tokens import default_token_generator
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from accounts.caller import Caller
from accounts.errors import Invalid
from accounts.models import User
from accounts.services.pace import (
    RESETS_BY_ACCOUNT,
    RESETS_BY_ADDRESS,
    SIGN_INS_BY_ACCOUNT,
    SIGN_INS_BY_ADDRESS,
    check_pace,
)
from accounts.services.people import settle_in
from security import audit


def sign_in(visitor: Caller, *, email: str, password: str) -> User:
    """The person with this e-mail and password.

    An unknown address costs as much time as a wrong password, and is answered alike. Every attempt counts; a success
    clears the account's counter, so that nobody is locked out by their own typing.
    """
    account = email.strip().lower()
    check_pace(visitor, SIGN_INS_BY_ADDRESS, SIGN_INS_BY_ACCOUNT, account=account)
    user = authenticate(None, username=account, password=password)
    if not isinstance(user, User):
        known = User.objects.filter(email=account).values_list("pk", flat=True).first()
        audit.record(
            "sign_in", caller=visitor.acting_for(known or 0), outcome="refused", error_code="wrong_credentials"
        )
        raise Invalid(
            "E-mail address and password do not belong together. Check both, or reset the password.",
            code="wrong_credentials",
        )
    SIGN_INS_BY_ACCOUNT.forget(account)
    settle_in(user)
    audit.record("sign_in", caller=visitor.acting_for(user.pk), target=f"user:{user.pk}")
    return user


def ask_for_reset(visitor: Caller, *, email: str) -> int:
    """The id of the active person to send a reset link to; 0 for nobody, which the asker must not be able to tell."""
    account = email.strip().lower()
    check_pace(visitor, RESETS_BY_ADDRESS, RESETS_BY_ACCOUNT, account=account)
    user_id = User.objects.filter(email=account, is_active=True).values_list("pk", flat=True).first() or 0
    audit.record("password_reset.ask", caller=visitor.acting_for(user_id))
    return user_id


def reset_path_parts(user: User) -> tuple[str, str]:
    """The two parts of a reset link: who, and a token that the next sign-in or change of password makes void."""
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)
