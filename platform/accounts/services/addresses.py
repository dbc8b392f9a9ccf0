"""Signing in with another e-mail address: asked for with the password, and confirmed by a link that is mailed to it."""

from django.core import signing
from django.db import transaction

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.models import AddressChange
from accounts.services.pace import ADDRESS_CHANGES, refuse_after
from accounts.services.people import available_address, confirm_password, locked_person, save_with_address
from security import audit

SALT = "accounts.services.addresses"


def ask_for_address(caller: Caller, *, email: str, password: str) -> AddressChange:
    """Note the address a person wants to sign in with, in place of one that waits. Nothing changes until the link."""
    confirm_password(caller, password)
    refuse_after(ADDRESS_CHANGES.hit(str(caller.user_id)))
    with transaction.atomic():
        user = locked_person(caller)
        email = available_address(email, besides=user)
        AddressChange.objects.filter(user=user).delete()
        change = AddressChange.objects.create(user=user, email=email)
        audit.record(
            "account.ask_for_email", caller=caller, target=f"user:{user.pk}", detail={"from": user.email, "to": email}
        )
    return change


def link_token(change: AddressChange) -> str:
    """What the link says: which change it confirms. Nobody else can make one."""
    return signing.dumps(change.pk, salt=SALT)


def find_change(caller: Caller, token: str) -> AddressChange:
    """The change behind the caller's own link, while it works."""
    change = AddressChange.objects.for_caller(caller).open().filter(pk=_named_by(token)).first()
    if change is None:
        raise NotFound(
            "This link does not work, or no longer: it is good for a day, until another one is asked for, and for the "
            "person who asked. Ask for another one under Settings, Profile.",
            code="link_void",
        )
    return change


def confirm_address(caller: Caller, *, token: str) -> str:
    """Sign in with the address from now on. Returns the old one, which is to be told."""
    with transaction.atomic():
        user = locked_person(caller)
        change = find_change(caller, token)
        old, user.email = user.email, available_address(change.email, besides=user)
        save_with_address(user)
        change.delete()
        audit.record(
            "account.change_email", caller=caller, target=f"user:{user.pk}", detail={"from": old, "to": user.email}
        )
    return old


def forget_change(caller: Caller) -> None:
    """Void the link of an address that is not wanted any more, if there is one."""
    with transaction.atomic():
        user = locked_person(caller)
        if AddressChange.objects.filter(user=user).delete()[0]:
            audit.record("account.keep_email", caller=caller, target=f"user:{user.pk}")


def _named_by(token: str) -> int:
    try:
        return int(signing.loads(token, salt=SALT))
    except (signing.BadSignature, ValueError):
        return 0
