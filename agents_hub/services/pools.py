"""What can be done with pools of profiles: find, list, create, change, fill, empty, delete, and pick a member."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, OrderBy, Prefetch, QuerySet
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Invalid, NotFound
from accounts.scopes import Scope
from accounts.services.organizations import organization_of, organizations_of
from agents_hub.models import PoolMembership, Profile, ProfileCredential, ProfilePool
from agents_hub.models.pools import SelectionStrategy
from dashboard.numbered_pages import NumberedPage, numbered, ordering
from security import audit


def list_pools(
    caller: Caller,
    *,
    organization_id: UUID | None = None,
    search_name: str | None = None,
    sort_field: str = "created_at",
    sort_direction: str = "desc",
    page: int = 1,
    page_size: int = 10,
) -> NumberedPage[ProfilePool]:
    caller.require(Scope.READ)
    pools = ProfilePool.objects.filter(organization_id__in=organizations_of(caller, organization_id))
    if search_name:
        pools = pools.filter(name__icontains=search_name)
    return numbered(
        pools.select_related("organization"), order=ordering(sort_field, sort_direction), number=page, size=page_size
    )


def get_pool(caller: Caller, *, pool_id: UUID) -> ProfilePool:
    caller.require(Scope.READ)
    return _found(ProfilePool.objects.for_caller(caller), pool_id)


def create_pool(
    caller: Caller,
    *,
    organization_id: UUID,
    name: str,
    selection_strategy: str = SelectionStrategy.LEAST_RECENTLY_USED,
    allow_concurrent_use: bool = False,
) -> ProfilePool:
    caller.require(Scope.WRITE)
    pool = ProfilePool(
        organization=organization_of(caller, organization_id),
        name=_checked(name),
        selection_strategy=selection_strategy,
        allow_concurrent_use=allow_concurrent_use,
    )
    with transaction.atomic():
        _save(pool)
        audit.record("profile_pool.create", caller=caller, target=_target(pool), detail={"name": pool.name})
    return pool


def update_pool(caller: Caller, *, pool_id: UUID, **change: Any) -> ProfilePool:
    """Change `name`, `selection_strategy` or `allow_concurrent_use`; what is not given stays."""
    caller.require(Scope.WRITE)
    if "name" in change:
        change["name"] = _checked(change["name"])
    with transaction.atomic():
        pool = _locked(caller, pool_id)
        for field, value in change.items():
            setattr(pool, field, value)
        _save(pool)
        audit.record("profile_pool.update", caller=caller, target=_target(pool), detail=change)
    return pool


def delete_pool(caller: Caller, *, pool_id: UUID) -> None:
    """Delete the pool; its profiles stay."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        pool = get_pool(caller, pool_id=pool_id)
        audit.record("profile_pool.delete", caller=caller, target=_target(pool), detail={"name": pool.name})
        pool.delete()


def list_members(caller: Caller, *, pool_id: UUID) -> list[Profile]:
    """The pool's profiles, in the order they joined."""
    return list(_members(get_pool(caller, pool_id=pool_id)).order_by(*_joined("asc")))


def page_of_members(
    caller: Caller, *, pool_id: UUID, sort_direction: str = "asc", page: int = 1, page_size: int = 10
) -> NumberedPage[Profile]:
    """The same, a page at a time."""
    members = _members(get_pool(caller, pool_id=pool_id))
    return numbered(members, order=_joined(sort_direction), number=page, size=page_size)


def add_members(caller: Caller, *, pool_id: UUID, profile_ids: Sequence[UUID]) -> ProfilePool:
    """Add profiles of the pool's own organization; one that is in it already stays as it is."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        pool = _locked(caller, pool_id)
        _check_profiles(pool, profile_ids, "Nothing was added.")
        PoolMembership.objects.bulk_create(
            [PoolMembership(pool=pool, profile_id=profile_id) for profile_id in dict.fromkeys(profile_ids)],
            ignore_conflicts=True,
        )
        audit.record(
            "profile_pool.add", caller=caller, target=_target(pool), detail={"profiles": [str(i) for i in profile_ids]}
        )
    return pool


def remove_members(caller: Caller, *, pool_id: UUID, profile_ids: Sequence[UUID]) -> ProfilePool:
    """Take profiles out; one that is not in it is no fault."""
    caller.require(Scope.WRITE)
    with transaction.atomic():
        pool = _locked(caller, pool_id)
        _check_profiles(pool, profile_ids, "Nothing was taken out.")
        pool.memberships.filter(profile_id__in=profile_ids).delete()
        audit.record(
            "profile_pool.remove",
            caller=caller,
            target=_target(pool),
            detail={"profiles": [str(i) for i in profile_ids]},
        )
    return pool


def turn_order(pool: ProfilePool) -> tuple[OrderBy, str]:
    """The order in which a pool's members are picked. The index `pool_by_turn` is entered from either end."""
    last_used = F("last_used_at")
    if pool.selection_strategy == SelectionStrategy.LEAST_RECENTLY_USED:
        return last_used.asc(nulls_first=True), "id"
    return last_used.desc(nulls_last=True), "id"


def pick_profile(pool: ProfilePool, *, in_use: Sequence[UUID] = ()) -> Profile:
    """The member whose turn it is by the pool's strategy, noted as used now.

    `in_use` are profiles that running executions hold; a pool that does not allow concurrent use passes them over.
    Two who pick at once take turns at the pool's row: whoever comes second reads the order after the first has noted
    its pick. (Skipping locked members would not do: a statement that began before the other's commit and reaches the
    member after it still holds the old order, and finds the member free again.)
    """
    memberships = pool.memberships.select_related("profile").order_by(*turn_order(pool))
    if not pool.allow_concurrent_use:
        memberships = memberships.exclude(profile_id__in=in_use)
    with transaction.atomic():
        ProfilePool.objects.select_for_update(no_key=True).get(pk=pool.pk)
        membership = memberships.first()
        if membership is None:
            raise Conflict(f"No profile of the pool “{pool.name}” is free.", code="pool_busy")
        membership.last_used_at = timezone.now()
        membership.save(update_fields=["last_used_at"])
    return membership.profile


def _locked(caller: Caller, pool_id: UUID) -> ProfilePool:
    """The pool, whose settings and members nobody else changes until the transaction ends."""
    return _found(ProfilePool.objects.for_caller(caller).select_for_update(no_key=True, of=("self",)), pool_id)


def _found(pools: "QuerySet[ProfilePool]", pool_id: UUID) -> ProfilePool:
    pool = pools.select_related("organization").filter(pk=pool_id).first()
    if pool is None:
        raise NotFound("There is no such pool in your organizations.")
    return pool


def _members(pool: ProfilePool) -> "QuerySet[Profile]":
    return pool.profiles.select_related("organization").prefetch_related(
        Prefetch("credentials", ProfileCredential.objects.defer("value")), "cookies"
    )


def _check_profiles(pool: ProfilePool, profile_ids: Sequence[UUID], outcome: str) -> None:
    found = Profile.objects.filter(organization_id=pool.organization_id, pk__in=profile_ids).values_list(
        "pk", flat=True
    )
    if missing := set(profile_ids) - set(found):
        raise NotFound(f"{min(missing)} is not a profile of the pool's organization. {outcome}")


def _joined(direction: str) -> tuple[str, ...]:
    sign = "-" if direction == "desc" else ""
    return (f"{sign}pool_memberships__added_at", f"{sign}pool_memberships__id")


def _save(pool: ProfilePool) -> None:
    try:
        with transaction.atomic():
            pool.save()
    except IntegrityError:
        raise Conflict(
            f"The organization has a pool named “{pool.name}” already.", code="name_taken", data={"field": "name"}
        ) from None


def _checked(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 255:
        raise Invalid("Give the pool a name of 1 to 255 characters.", data={"field": "name"})
    return name


def _target(pool: ProfilePool) -> str:
    return f"profile_pool:{pool.pk}"
