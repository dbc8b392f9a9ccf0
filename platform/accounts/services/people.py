"""A person's account: begun, renamed, and its password set. Its address is in accounts.services.addresses."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Forbidden, Invalid, NotFound
from accounts.models import AddressChange, Membership, Subscription, User
from accounts.services.organizations import found_organization
from accounts.services.pace import CONFIRMATIONS, refuse_after
from accounts.services.plans import free_plan
from security import audit

TAKEN = "Somebody already has this e-mail address."


def sign_up(visitor: Caller, *, email: str, password: str, name: str = "", open_to_all: bool = False) -> User:
    """A new person on FREE with an organization of their own. Whoever lets visitors in says so by `open_to_all`."""
    if not open_to_all:
        raise Forbidden("Sign-up is closed here. Ask an organization's admin for an invitation.", code="sign_up_closed")
    with transaction.atomic():
        user = create_person(visitor, email=email, password=password, name=name)
        settle_in(user)
    return user


def create_person(visitor: Caller, *, email: str, password: str, name: str = "") -> User:
    """A person's row, subscribed to FREE. In the caller's transaction, for it is never all there is to do."""
    email = available_address(email)
    user = User(email=email, name=name.strip()[:150])
    check_password(password, user)
    user.set_password(password)
    save_with_address(user)
    _subscribe(user)
    audit.record("account.create", caller=visitor.acting_for(user.pk), target=f"user:{user.pk}")
    return user


def settle_in(user: User) -> None:
    """Give a person what everybody has, where it is missing: a subscription, and an organization to be in."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        _subscribe(user)
        if not Membership.objects.filter(user=user).exists():
            found_organization(user, f"{user.get_short_name()}'s organization")


def change_name(caller: Caller, *, name: str) -> User:
    with transaction.atomic():
        user = locked_person(caller)
        user.name = name.strip()[:150]
        user.save(update_fields=["name"])
        audit.record("account.rename", caller=caller, target=f"user:{user.pk}")
    return user


def change_password(caller: Caller, *, current: str, new: str) -> User:
    """A new password; every other session of the person ends with it."""
    confirm_password(caller, current)
    with transaction.atomic():
        user = locked_person(caller)
        set_password(caller, user, new)
    return user


def set_password(caller: Caller, user: User, new: str) -> None:
    """Store a new password, by Django's rules. Whoever calls has made sure that the person wants it.

    A new address that waits to be confirmed waits no more: whoever asked for it may be why the password is changed.
    """
    check_password(new, user)
    user.set_password(new)
    user.save(update_fields=["password"])
    AddressChange.objects.filter(user=user).delete()
    audit.record("account.change_password", caller=caller.acting_for(user.pk), target=f"user:{user.pk}")


def available_address(email: str, *, besides: User | None = None) -> str:
    """The address in lower case; Invalid where it is none or somebody else's."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("Write an e-mail address, such as name@example.com.", data={"field": "email"}) from None
    taken = User.objects.filter(email=email)
    if besides is not None:
        taken = taken.exclude(pk=besides.pk)
    if taken.exists():
        raise Invalid(TAKEN, data={"field": "email"})
    return email


def check_password(password: str, user: User) -> None:
    """Invalid, with every reason, unless the password is a good one for this person."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), data={"field": "password"}) from None


def confirm_password(caller: Caller, password: str) -> None:
    """Make sure that it is the person who asks, and nobody at their open session who guesses."""
    refuse_after(CONFIRMATIONS.hit(str(caller.user_id)))
    if not User.objects.get(pk=caller.user_id).check_password(password):
        raise Invalid("That is not your current password.", data={"field": "current"})
    CONFIRMATIONS.forget(str(caller.user_id))


def save_with_address(user: User) -> None:
    """Store a person whose address was free a moment ago; somebody may have taken it since."""
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise Invalid(TAKEN, data={"field": "email"}) from None


def _subscribe(user: User) -> None:
    Subscription.objects.get_or_create(user=user, defaults={"plan": free_plan(), "started_on": timezone.now().date()})


def locked_person(caller: Caller) -> User:
    user = User.objects.select_for_update().filter(pk=caller.user_id).first()
    if user is None:
        raise NotFound("This account is gone.")
    return user
