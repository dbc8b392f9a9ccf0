"""Organizations and who belongs to them. Whatever changes admins locks the organization, so that one is always left."""

import secrets
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import Membership, Organization, Role, User
from accounts.scopes import Scope
from security import audit


def found_organization(founder: User, name: str) -> Organization:
    """A new organization with its founder as admin."""
    organization = _create(name)
    Membership.objects.create(user=founder, organization=organization, role=Role.ADMIN)
    return organization


def create_organization(caller: Caller, *, name: str) -> Organization:
    caller.require(Scope.WRITE)
    with transaction.atomic():
        organization = found_organization(User.objects.get(pk=caller.user_id), _checked_name(name))
        audit.record("organization.create", caller=caller, target=_target(organization), detail={"name": name})
    return organization


def rename_organization(caller: Caller, *, organization_id: int, name: str) -> Organization:
    with transaction.atomic():
        organization = administered(caller, organization_id)
        organization.name = _checked_name(name)
        organization.save(update_fields=["name"])
        audit.record("organization.rename", caller=caller, target=_target(organization), detail={"name": name})
    return organization


def find_organization(caller: Caller, slug: str) -> Organization:
    """One the caller belongs to."""
    organization = Organization.objects.for_caller(caller).filter(slug=slug).first()
    if organization is None:
        raise NotFound("You belong to no such organization.")
    return organization


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


def set_role(caller: Caller, *, organization_id: int, user_id: int, role: Role) -> Membership:
    """Make a member an admin, or an admin a member; the last admin stays one."""
    with transaction.atomic():
        organization = administered(caller, organization_id)
        membership = _membership(organization, user_id)
        if membership.is_admin and role is not Role.ADMIN:
            _keep_an_admin(organization)
        membership.role = role
        membership.save(update_fields=["role"])
        audit.record("member.set_role", caller=caller, target=_target(organization, user_id), detail={"role": role})
    return membership


def remove_member(caller: Caller, *, organization_id: int, user_id: int) -> None:
    """Take somebody out, for admins; or leave, for anybody. The last admin can do neither to themselves."""
    with transaction.atomic():
        if user_id == caller.user_id:
            organization = _locked(caller, organization_id)
        else:
            organization = administered(caller, organization_id)
        membership = _membership(organization, user_id)
        if membership.is_admin:
            _keep_an_admin(organization)
        membership.delete()
        audit.record("member.remove", caller=caller, target=_target(organization, user_id))


def is_admin(caller: Caller, organization_id: int) -> bool:
    """Whether the caller is an admin of the organization."""
    return Membership.objects.filter(organization_id=organization_id, user_id=caller.user_id, role=Role.ADMIN).exists()


def administered(caller: Caller, organization_id: int) -> Organization:
    """The organization, locked, that the caller is an admin of."""
    caller.require(Scope.ADMIN)
    organization = _locked(caller, organization_id)
    if not is_admin(caller, organization.pk):
        raise Forbidden(f"Only an admin of {organization.name} can do this. Ask one of them.")
    return organization


def _locked(caller: Caller, organization_id: int) -> Organization:
    # Rows that point to it may still be inserted: somebody who joins holds the invitation, which an admin may wait for.
    organizations = Organization.objects.select_for_update(no_key=True).filter(pk=organization_id)
    organization = organizations.filter(pk__in=Organization.objects.for_caller(caller).values("pk")).first()
    if organization is None:
        raise NotFound("You belong to no such organization.")
    return organization


def _membership(organization: Organization, user_id: int) -> Membership:
    membership = organization.memberships.select_related("user").filter(user_id=user_id).first()
    if membership is None:
        raise NotFound(f"{organization.name} has no such member.")
    return membership


def _keep_an_admin(organization: Organization) -> None:
    if organization.memberships.filter(role=Role.ADMIN).count() < 2:
        raise Conflict(
            f"This is the last admin of {organization.name}. Make somebody else an admin first.", code="last_admin"
        )


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 100:
        raise Invalid("Give the organization a name of 1 to 100 characters.", data={"field": "name"})
    return name


def _create(name: str) -> Organization:
    """The organization, with its name in its address; with something random behind it where that address is taken."""
    slug = slugify(name)[:48] or "organization"
    try:
        with transaction.atomic():
            return Organization.objects.create(name=name, slug=slug)
    except IntegrityError:
        return Organization.objects.create(name=name, slug=f"{slug}-{secrets.token_hex(4)}")


def _target(organization: Organization, user_id: int | None = None) -> str:
    of = f"organization:{organization.pk}"
    return of if user_id is None else f"{of} user:{user_id}"
