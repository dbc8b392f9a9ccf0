"""Organizations, their members and invitations, through the services."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller, Door
from accounts.errors import Conflict, Forbidden, Invalid, NotFound
from accounts.models import Invitation, Membership, Organization, Role, User
from accounts.scopes import Scope
from accounts.services import invitations, organizations, people
from security.models import AuditEntry
from tests.factories import PASSWORD, MembershipFactory, OrganizationFactory, UserFactory, caller_for
from tests.threads import at_once

VISITOR = Caller(user_id=0, scope=Scope.READ, door=Door.PAGE, ip="192.0.2.1")


@pytest.fixture
def organization(person: User) -> Organization:
    """One whose only admin is the person."""
    membership: Membership = MembershipFactory(user=person, role=Role.ADMIN)
    return membership.organization


def invite(admin: User, organization: Organization, role: Role = Role.MEMBER, email: str = "") -> str:
    made = invitations.create_invitation(caller_for(admin), organization_id=organization.pk, role=role, email=email)
    return made.token


def test_a_new_person_is_on_free_with_an_organization_of_their_own(db: None) -> None:
    user = people.sign_up(VISITOR, email="Ada@Example.com", password=PASSWORD, name="Ada L", open_to_all=True)
    assert user.email == "ada@example.com"
    assert user.subscription.plan.code == "FREE"
    membership = Membership.objects.get(user=user)
    assert (membership.organization.name, membership.role) == ("Ada's organization", Role.ADMIN)


def test_sign_up_is_closed_unless_it_was_opened(db: None) -> None:
    with pytest.raises(Forbidden, match="invitation"):
        people.sign_up(VISITOR, email="ada@example.com", password=PASSWORD)


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("taken@example.com", PASSWORD, "already has this"),
        ("not an address", PASSWORD, "name@example.com"),
        ("ada@example.com", "password", "too common"),
        ("ada@example.com", "73519462", "entirely numeric"),
        ("ada.lovelace@example.com", "adalovelace", "too similar"),
    ],
)
def test_a_bad_address_or_password_is_refused_and_leaves_nothing(
    email: str, password: str, says: str, db: None
) -> None:
    UserFactory(email="taken@example.com")
    with pytest.raises(Invalid, match=says):
        people.sign_up(VISITOR, email=email, password=password, open_to_all=True)
    assert User.objects.count() == 1
    assert not Organization.objects.exists()


def test_two_organizations_of_one_name_get_addresses_of_their_own(person: User) -> None:
    made = [organizations.create_organization(caller_for(person), name="Lantern Studio") for _ in range(2)]
    assert made[0].slug == "lantern-studio"
    assert made[1].slug.startswith("lantern-studio-")


def test_somebody_elses_organization_is_not_found(person: User) -> None:
    other = MembershipFactory(role=Role.ADMIN)
    asked: list[Callable[[], object]] = [
        lambda: organizations.find_organization(caller_for(person), other.organization.slug),
        lambda: organizations.rename_organization(
            caller_for(person), organization_id=other.organization_id, name="Mine"
        ),
        lambda: organizations.remove_member(
            caller_for(person), organization_id=other.organization_id, user_id=other.user_id
        ),
        lambda: organizations.set_role(
            caller_for(person), organization_id=other.organization_id, user_id=person.pk, role=Role.ADMIN
        ),
        lambda: invite(person, other.organization),
    ]
    for ask in asked:
        with pytest.raises(NotFound):
            ask()


def test_a_member_cannot_do_what_admins_do(organization: Organization) -> None:
    member = MembershipFactory(organization=organization).user
    asked: list[Callable[[], object]] = [
        lambda: invite(member, organization),
        lambda: organizations.rename_organization(caller_for(member), organization_id=organization.pk, name="Mine"),
        lambda: organizations.set_role(
            caller_for(member), organization_id=organization.pk, user_id=member.pk, role=Role.ADMIN
        ),
        lambda: organizations.remove_member(
            caller_for(member),
            organization_id=organization.pk,
            user_id=organization.memberships.get(role=Role.ADMIN).user_id,
        ),
    ]
    for ask in asked:
        with pytest.raises(Forbidden, match="Only an admin"):
            ask()


def test_the_last_admin_neither_leaves_nor_becomes_a_member(person: User, organization: Organization) -> None:
    MembershipFactory(organization=organization)
    with pytest.raises(Conflict, match="last admin"):
        organizations.remove_member(caller_for(person), organization_id=organization.pk, user_id=person.pk)
    with pytest.raises(Conflict, match="last admin"):
        organizations.set_role(caller_for(person), organization_id=organization.pk, user_id=person.pk, role=Role.MEMBER)


def test_a_member_leaves_and_an_admin_removes(person: User, organization: Organization) -> None:
    leaver, removed = (
        MembershipFactory(organization=organization).user,
        MembershipFactory(organization=organization).user,
    )
    organizations.remove_member(caller_for(leaver), organization_id=organization.pk, user_id=leaver.pk)
    organizations.remove_member(caller_for(person), organization_id=organization.pk, user_id=removed.pk)
    assert list(organization.members.all()) == [person]


@pytest.mark.django_db(transaction=True)
def test_of_two_admins_who_leave_at_once_one_stays() -> None:
    organization = OrganizationFactory()
    admins = [MembershipFactory(organization=organization, role=Role.ADMIN).user for _ in range(2)]

    def leave(admin: User) -> Callable[[], None]:
        return lambda: organizations.remove_member(caller_for(admin), organization_id=organization.pk, user_id=admin.pk)

    outcomes = at_once(*map(leave, admins))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Conflict", "NoneType"]
    assert organization.memberships.filter(role=Role.ADMIN).count() == 1


def test_an_invitation_joins_with_its_role_and_works_once(person: User, organization: Organization) -> None:
    token = invite(person, organization, role=Role.ADMIN)
    guest = UserFactory()
    assert invitations.accept_invitation(caller_for(guest), token=token).role == Role.ADMIN
    with pytest.raises(NotFound, match="no longer works"):
        invitations.accept_invitation(caller_for(UserFactory()), token=token)


def test_an_invitation_makes_the_account_it_needs_with_no_organization_besides(
    person: User, organization: Organization
) -> None:
    token = invite(person, organization)
    guest = invitations.accept_with_new_account(VISITOR, token=token, email="new@example.com", password=PASSWORD)
    assert [one.organization for one in guest.memberships.all()] == [organization]
    assert guest.subscription.plan.code == "FREE"
    assert guest.check_password(PASSWORD)


def test_a_refused_account_leaves_the_invitation_open(person: User, organization: Organization) -> None:
    token = invite(person, organization)
    with pytest.raises(Invalid):
        invitations.accept_with_new_account(VISITOR, token=token, email=person.email, password=PASSWORD)
    assert invitations.find_open(token).is_open


def test_an_invitation_for_one_address_is_for_no_other(person: User, organization: Organization) -> None:
    token = invite(person, organization, email="Ada@Example.com")
    with pytest.raises(Forbidden, match="for ada@example"):
        invitations.accept_invitation(caller_for(UserFactory()), token=token)
    guest = invitations.accept_with_new_account(VISITOR, token=token, email="other@example.com", password=PASSWORD)
    assert guest.email == "ada@example.com"


def test_a_member_does_not_use_up_an_invitation(person: User, organization: Organization) -> None:
    token = invite(person, organization)
    with pytest.raises(Conflict, match="already"):
        invitations.accept_invitation(caller_for(person), token=token)
    assert invitations.find_open(token).is_open


@pytest.mark.parametrize("end", ["revoked", "expired", "made up"])
def test_a_link_that_ended_opens_nothing(person: User, organization: Organization, end: str) -> None:
    token = invite(person, organization)
    invitation = Invitation.objects.get()
    if end == "revoked":
        invitations.revoke_invitation(caller_for(person), organization_id=organization.pk, invitation_id=invitation.pk)
    elif end == "expired":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        token = "A" * 43
    with pytest.raises(NotFound, match="Ask for another"):
        invitations.find_open(token)
    with pytest.raises(NotFound):
        invitations.accept_invitation(caller_for(UserFactory()), token=token)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_open_one_link_at_once_one_joins() -> None:
    admin = UserFactory()
    organization = MembershipFactory(user=admin, role=Role.ADMIN).organization
    token = invite(admin, organization)
    guests = [UserFactory() for _ in range(6)]

    def accept(guest: User) -> Callable[[], Membership]:
        return lambda: invitations.accept_invitation(caller_for(guest), token=token)

    outcomes = [type(outcome).__name__ for outcome in at_once(*map(accept, guests))]
    assert sorted(outcomes) == ["Membership"] + ["NotFound"] * 5
    assert organization.memberships.count() == 2


@pytest.mark.django_db(transaction=True)
def test_joining_does_not_wait_for_an_admin_who_may_wait_for_the_invitation() -> None:
    admin, guest = UserFactory(), UserFactory()
    organization = MembershipFactory(user=admin, role=Role.ADMIN).organization
    token = invite(admin, organization)
    with transaction.atomic():
        organizations.administered(caller_for(admin), organization.pk)
        (joined,) = at_once(lambda: invitations.accept_invitation(caller_for(guest), token=token))
    assert isinstance(joined, Membership)


def test_the_token_of_an_invitation_is_neither_stored_nor_audited(person: User, organization: Organization) -> None:
    token = invite(person, organization)
    assert token not in str(list(Invitation.objects.values()))
    assert token not in str(list(AuditEntry.objects.values()))


@pytest.mark.django_db(transaction=True)
def test_of_two_who_take_one_address_at_once_one_is_told_that_it_is_taken() -> None:
    def sign_up() -> User:
        return people.sign_up(VISITOR, email="ada@example.com", password=PASSWORD, open_to_all=True)

    outcomes = at_once(*[sign_up] * 3)
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Invalid", "Invalid", "User"]
    assert Organization.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_organizations_of_one_name_founded_at_once_all_come_to_be() -> None:
    founder = UserFactory()
    at_once(*[lambda: organizations.create_organization(caller_for(founder), name="Lantern")] * 4)
    assert Organization.objects.filter(slug__startswith="lantern").count() == 4
