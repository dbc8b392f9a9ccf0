"""Profiles and pools to look over and choose from: pages count what the lists of the API carry whole."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Model, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.caller import Caller
from accounts.models import User
from accounts.scopes import Scope
from accounts.services.organizations import organization_of
from agents_hub.models import PoolMembership, Profile, ProfileCookie, ProfileCredential, ProfilePool
from agents_hub.services.pools import get_pool, turn_order
from agents_hub.services.profiles import not_found
from dashboard.numbered_pages import NumberedPage, numbered, ordering
from security.models import AuditEntry

# What is shown of what happened; the audit has all of it.
HAPPENINGS_SHOWN = 20
# That it was made stands in the profile's row, however old it is.
TOLD = {"profile.update": "Changed", "profile.clear_browser_cache": "Browser cache cleared"}


def survey_profiles(
    caller: Caller,
    *,
    organization_id: UUID,
    search_name: str | None = None,
    proxy_mode: str | None = None,
    sort_field: str = "name",
    sort_direction: str = "asc",
    page: int = 1,
    page_size: int = 25,
) -> NumberedPage[Profile]:
    """An organization's profiles: each with `credentials_held` and `cookies_held`, and with none of them."""
    caller.require(Scope.READ)
    profiles = Profile.objects.filter(organization=organization_of(caller, organization_id))
    if search_name:
        profiles = profiles.filter(name__icontains=search_name)
    if proxy_mode:
        profiles = profiles.filter(proxy_mode=proxy_mode)
    counted = profiles.annotate(
        credentials_held=_how_many(ProfileCredential, "profile"), cookies_held=_how_many(ProfileCookie, "profile")
    )
    return numbered(counted, order=ordering(sort_field, sort_direction), number=page, size=page_size)


def find_profile(caller: Caller, profile_id: UUID) -> Profile:
    """The profile with its organization and who made it, and nothing of what it holds."""
    caller.require(Scope.READ)
    profiles = Profile.objects.for_caller(caller).select_related("organization", "created_by")
    profile = profiles.filter(pk=profile_id).first()
    if profile is None:
        raise not_found()
    return profile


def page_of_cookies(
    caller: Caller, *, profile_id: UUID, page: int = 1, page_size: int = 25
) -> NumberedPage[ProfileCookie]:
    """A profile's cookies in the order they were added, without their values."""
    cookies = find_profile(caller, profile_id).cookies.defer("value")
    return numbered(cookies, order=ordering("created_at", "asc"), number=page, size=page_size)


def survey_pools(
    caller: Caller,
    *,
    organization_id: UUID,
    search_name: str | None = None,
    sort_field: str = "name",
    sort_direction: str = "asc",
    page: int = 1,
    page_size: int = 25,
) -> NumberedPage[ProfilePool]:
    """An organization's pools, each with `members_held` and `last_pick`."""
    caller.require(Scope.READ)
    pools = ProfilePool.objects.filter(organization=organization_of(caller, organization_id))
    if search_name:
        pools = pools.filter(name__icontains=search_name)
    members = PoolMembership.objects.filter(pool=OuterRef("pk")).order_by().values("pool")
    counted = pools.annotate(
        members_held=_how_many(PoolMembership, "pool"),
        last_pick=Subquery(members.annotate(last=Max("last_used_at")).values("last")),
    )
    return numbered(counted, order=ordering(sort_field, sort_direction), number=page, size=page_size)


def page_in_turn(caller: Caller, *, pool_id: UUID, page: int = 1, page_size: int = 25) -> NumberedPage[PoolMembership]:
    """A pool's memberships in the order in which they are picked, each with its profile: the first goes next."""
    pool = get_pool(caller, pool_id=pool_id)
    memberships = PoolMembership.objects.filter(pool=pool).select_related("profile")
    return numbered(memberships, order=turn_order(pool), number=page, size=page_size)


def page_of_others(
    caller: Caller, *, pool_id: UUID, search_name: str | None = None, page: int = 1, page_size: int = 25
) -> NumberedPage[Profile]:
    """The profiles of the pool's organization that are not in it, by name."""
    pool = get_pool(caller, pool_id=pool_id)
    others = Profile.objects.filter(organization_id=pool.organization_id).exclude(pool_memberships__pool=pool)
    if search_name:
        others = others.filter(name__icontains=search_name)
    return numbered(others, order=ordering("name", "asc"), number=page, size=page_size)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a profile: what, when, and to or by what it is named."""

    at: datetime
    what: str
    name: str = ""


def history(caller: Caller, *, profile_id: UUID) -> list[Happening]:
    """What the audit and the profile's own rows tell of it, newest first."""
    profile = find_profile(caller, profile_id)
    told = sorted(_told_by(profile), key=lambda one: one.at, reverse=True)
    return list(islice(told, HAPPENINGS_SHOWN))


def _told_by(profile: Profile) -> Iterator[Happening]:
    yield Happening(profile.created_at, "Created by", profile.created_by.name if profile.created_by else "")
    entries = list(AuditEntry.objects.about(f"profile:{profile.pk}")[:HAPPENINGS_SHOWN])
    people = User.objects.in_bulk({entry.user_id for entry in entries if entry.user_id is not None})
    for entry in entries:
        if entry.action in TOLD:
            person = people.get(entry.user_id) if entry.user_id is not None else None
            added = ", ".join(entry.detail.get("added", []))
            yield Happening(entry.at, f"Added {added}" if added else TOLD[entry.action], person.name if person else "")
    memberships = profile.pool_memberships.select_related("pool")
    for membership in _newest(memberships, "added_at"):
        yield Happening(membership.added_at, "Joined the pool", membership.pool.name)
    for membership in _newest(memberships.exclude(last_used_at=None), "last_used_at"):
        yield Happening(membership.last_used_at, "Picked from the pool", membership.pool.name)


def _newest(rows: "QuerySet[Any]", by: str) -> "QuerySet[Any]":
    return rows.order_by(f"-{by}", "-id")[:HAPPENINGS_SHOWN]


def _how_many(parts: type[Model], of: str) -> Coalesce:
    held = parts._default_manager.filter(**{of: OuterRef("pk")}).order_by().values(of)
    return Coalesce(Subquery(held.annotate(count=Count("pk")).values("count")), 0)
