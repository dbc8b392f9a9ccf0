"""A new e-mail address that a person asked for and has not shown to be theirs yet."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.users import EmailAddressField

if TYPE_CHECKING:
    from accounts.caller import Caller

LIFETIME = timedelta(days=1)


class AddressChangeQuerySet(models.QuerySet["AddressChange"]):
    def for_caller(self, caller: "Caller") -> "AddressChangeQuerySet":
        return self.filter(user_id=caller.user_id)

    def open(self) -> "AddressChangeQuerySet":
        """Those whose link still works."""
        return self.filter(asked_at__gt=timezone.now() - LIFETIME)


class AddressChange(models.Model):
    """The person signs in with the old address until the link that was mailed to this one is followed.

    A person has one at a time; asking again makes another row, and the link of the one before is void.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="address_change")
    email = EmailAddressField("new e-mail address", max_length=254)
    asked_at = models.DateTimeField(auto_now_add=True)

    objects = AddressChangeQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.user} to {self.email}"
