"""Rows for tests: each factory makes the least that is valid."""

from datetime import UTC, datetime
from typing import Any

import factory

from accounts.caller import Caller, Door
from accounts.models import ApiKey, Membership, Organization, Plan, Role, Subscription, User
from accounts.scopes import Scope
from accounts.services import keys
from mcp_gateway.models import AuthType, ClientMode, RemoteConnection, RemoteServer, RemoteTool
from mcp_gateway.remote.services.tools import digest_of

PASSWORD = "a lamp in the window"


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User

    email = factory.Sequence(lambda number: f"person{number}@example.com")
    name = factory.Sequence(lambda number: f"Person {number}")
    password = PASSWORD

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **kwargs: Any) -> User:
        return model_class.objects.create_user(*args, **kwargs)


class OrganizationFactory(factory.django.DjangoModelFactory[Organization]):
    class Meta:
        model = Organization

    name = factory.Sequence(lambda number: f"Organization {number}")
    slug = factory.Sequence(lambda number: f"organization-{number}")


class MembershipFactory(factory.django.DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    organization = factory.SubFactory(OrganizationFactory)
    role = Role.MEMBER


class SubscriptionFactory(factory.django.DjangoModelFactory[Subscription]):
    """A subscription to the plan of the given code."""

    class Meta:
        model = Subscription

    class Params:
        code = "FREE"

    user = factory.SubFactory(UserFactory)
    plan = factory.LazyAttribute(lambda made: Plan.objects.get(code=made.code))
    started_on = factory.LazyFunction(lambda: datetime.now(UTC).date())


class RemoteServerFactory(factory.django.DjangoModelFactory[RemoteServer]):
    """A server that asks for nothing; with `oauth=True` one where each person signs in."""

    class Meta:
        model = RemoteServer

    class Params:
        oauth = factory.Trait(auth_type=AuthType.OAUTH, client_mode=ClientMode.KNOWN_CREDENTIALS, client_id="a-client")

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda number: f"Server {number}")
    slug = "server"
    url = factory.Sequence(lambda number: f"https://mcp{number}.example.com/mcp")


class RemoteConnectionFactory(factory.django.DjangoModelFactory[RemoteConnection]):
    """A person's connection to a server with OAuth, with an access token that lasts."""

    class Meta:
        model = RemoteConnection

    server = factory.SubFactory(RemoteServerFactory, oauth=True)
    user = factory.LazyAttribute(lambda made: MembershipFactory(organization=made.server.organization).user)
    access_token = factory.Sequence(lambda number: f"access-token-{number}")
    refresh_token = factory.Sequence(lambda number: f"refresh-token-{number}")


class RemoteToolFactory(factory.django.DjangoModelFactory[RemoteTool]):
    class Meta:
        model = RemoteTool

    server = factory.SubFactory(RemoteServerFactory)
    name = factory.Sequence(lambda number: f"tool_{number}")
    definition = factory.LazyAttribute(lambda made: {"name": made.name, "inputSchema": {"type": "object"}})
    digest = factory.LazyAttribute(lambda made: digest_of(made.definition))


def caller_for(user: User, scope: Scope = Scope.ADMIN, door: Door = Door.PAGE, **fields: Any) -> Caller:
    """The person at a door."""
    return Caller(user_id=user.pk, scope=scope, door=door, **fields)


def make_key(user: User | None = None, scope: Scope = Scope.READ, **fields: Any) -> tuple[ApiKey, str]:
    """A key with its text in clear. Fields such as `expires_at` are set on the row as they are."""
    made = keys.create_key(caller_for(user or UserFactory()), name="Key", scope=scope)
    if fields:
        ApiKey.objects.filter(pk=made.key.pk).update(**fields)
        made.key.refresh_from_db()
    return made.key, made.text
