"""Numbered pages: what a list of the workflow API is cut into."""

from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from django.db import models

from accounts.caller import Caller
from accounts.errors import NotFound
from accounts.models import Membership, Organization

M = TypeVar("M", bound=models.Model)


@dataclass(frozen=True, slots=True)
class NumberedPage(Generic[M]):
    rows: list[M]
    number: int
    size: int
    total: int


def numbered(rows: models.QuerySet[M], *, order: tuple[str, ...], number: int, size: int) -> NumberedPage[M]:
    """The `number`-th page, from 1, of `size` rows. Beyond the last it is empty."""
    begin = (number - 1) * size
    return NumberedPage(list(rows.order_by(*order)[begin : begin + size]), number, size, rows.order_by().count())


def ordering(field: str, direction: str) -> tuple[str, ...]:
    """By the field and then by id, both in the same direction, as the indexes run."""
    sign = "-" if direction == "desc" else ""
    return (f"{sign}{field}", f"{sign}id")


def organization_of(caller: Caller, uid: UUID) -> Organization:
    """One the caller belongs to, by the id it shows."""
    organization = Organization.objects.for_caller(caller).filter(uid=uid).first()
    if organization is None:
        raise NotFound("You belong to no organization with this id. getContext lists yours.")
    return organization


def organizations_of(caller: Caller, uid: UUID | None) -> list[int]:
    """The primary keys to look in: the one named, or all of the caller's."""
    if uid is not None:
        return [organization_of(caller, uid).pk]
    return list(Membership.objects.filter(user_id=caller.user_id).values_list("organization_id", flat=True))
