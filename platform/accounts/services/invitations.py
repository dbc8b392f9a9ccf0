"""Invitations by link: made and revoked by an organization's admins, accepted once by whoever holds the link."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import Invitation, Membership, Role, User
from accounts.services.organizations import administered
from accounts.services.people import create_person
from security import audit

LIFETIME = timedelta(days=7)
MOST_OPEN = 100


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """An invitation just made, with the token of its link for the one time it is shown."""

    invitation: Invitation
    token: str

    def __repr__(self) -> str:
        return f"NewInvitation({self.invitation})"


def create_invitation(caller: Caller, *, organization_id: int, role: Role, email: str = "") -> NewInvitation:
    """A link for one person, good for a week; only for the holder of `email` where one is given."""
    email = email.strip().lower()
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise Invalid("Write an e-mail address, or leave it empty.", data={"field": "email"}) from None
    with transaction.atomic():
        organization = administered(caller, organization_id)
        if email and organization.memberships.filter(user__email=email).exists():
            raise Conflict(f"{email} belongs to {organization.name} already.", data={"field": "email"})
        if organization.invitations.open().count() >= MOST_OPEN:
            raise Conflict(f"{MOST_OPEN} invitations are open. Revoke some that are not needed.")
        token = secrets.token_urlsafe(32)
        invitation = Invitation.objects.create(
            organization=organization,
            role=role,
            email=email,
            token_digest=_digest(token),
            created_by_id=caller.user_id,
            expires_at=timezone.now() + LIFETIME,
        )
        _record("invitation.create", caller, invitation, {"role": role, "email": email})
    return NewInvitation(invitation, token)


def revoke_invitation(caller: Caller, *, organization_id: int, invitation_id: int) -> Invitation:
    with transaction.atomic():
        organization = administered(caller, organization_id)
        invitation = organization.invitations.select_for_update().filter(pk=invitation_id).first()
        if invitation is None:
            raise NotFound(f"{organization.name} has no such invitation.")
        if not invitation.is_open:
            raise Conflict("This invitation was accepted or revoked, or has expired.", code="invitation_closed")
        invitation.revoked_at = timezone.now()
        invitation.save(update_fields=["revoked_at"])
        _record("invitation.revoke", caller, invitation)
    return invitation


def find_open(token: str) -> Invitation:
    """The invitation behind a link that still works."""
    return _open(Invitation.objects.filter(token_digest=_digest(token)).select_related("organization").first())


def accept_invitation(caller: Caller, *, token: str) -> Membership:
    """Join with the account one has."""
    with transaction.atomic():
        return _join(caller, _locked(token), User.objects.get(pk=caller.user_id))


def accept_with_new_account(visitor: Caller, *, token: str, email: str, password: str, name: str = "") -> User:
    """Join with an account made for it; this works where sign-up is closed, too."""
    with transaction.atomic():
        invitation = _locked(token)
        user = create_person(visitor, email=invitation.email or email, password=password, name=name)
        _join(visitor.acting_for(user.pk), invitation, user)
    return user


def _join(caller: Caller, invitation: Invitation, user: User) -> Membership:
    if invitation.email and invitation.email != user.email:
        raise Forbidden(
            f"This invitation is for {invitation.email}; you are signed in as {user.email}. "
            "Sign in with that address, or ask for another invitation."
        )
    organization = invitation.organization
    membership, joined = Membership.objects.get_or_create(
        user=user, organization=organization, defaults={"role": invitation.role}
    )
    if not joined:
        raise Conflict(f"You belong to {organization.name} already.", code="already_member")
    invitation.accepted_at = timezone.now()
    invitation.accepted_by = user
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    _record("invitation.accept", caller, invitation, {"role": invitation.role})
    return membership


def _locked(token: str) -> Invitation:
    invitations = Invitation.objects.select_for_update(of=("self",)).select_related("organization")
    return _open(invitations.filter(token_digest=_digest(token)).first())


def _open(invitation: Invitation | None) -> Invitation:
    if invitation is None or not invitation.is_open:
        raise NotFound(
            "This invitation no longer works: it was used or revoked, or has expired. Ask for another one.",
            code="invitation_closed",
        )
    return invitation


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _record(action: str, caller: Caller, invitation: Invitation, detail: dict[str, str] | None = None) -> None:
    target = f"organization:{invitation.organization_id} invitation:{invitation.pk}"
    audit.record(action, caller=caller, target=target, detail=detail)
