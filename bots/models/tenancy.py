"""Tenancy: a bot is its owner's, and every row that hangs on a bot is reached through that owner."""

from typing import Self, TypeVar

from django.db import models

from accounts.caller import Caller

M = TypeVar("M", bound=models.Model)


class OwnedQuerySet(models.QuerySet[M]):
    """Rows of one owner. A model that hangs on a bot less directly names its own path to the owner."""

    owner_path = "bot__owner_id"

    def for_caller(self, caller: Caller) -> Self:
        return self.filter(**{self.owner_path: caller.user_id})
