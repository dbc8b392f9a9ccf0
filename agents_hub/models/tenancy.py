"""Tenancy: what belongs to an organization is reached by its members, and by nobody else."""

from typing import Self, TypeVar

from django.db import models

from accounts.caller import Caller

M = TypeVar("M", bound=models.Model)


class OrganizationQuerySet(models.QuerySet[M]):
    """Rows of organizations. A model that hangs on one less directly names its own path to it."""

    organization_path = "organization"

    def for_caller(self, caller: Caller) -> Self:
        # One membership a person and organization: the join never doubles a row.
        return self.filter(**{f"{self.organization_path}__memberships__user_id": caller.user_id})
