"""Remote servers: who may do what with them, and that they belong to one organization."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.caller import Caller
from accounts.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from accounts.models import Organization
from accounts.scopes import Scope
from mcp_gateway.models import RemoteConnection, RemoteServer
from mcp_gateway.remote.badges import Badge, badge, own_connection
from mcp_gateway.remote.problems import Code, Problem
from mcp_gateway.remote.services import servers
from mcp_gateway.remote.shapes import CreateServer, UpdateServer
from mcp_gateway.remote.targets import Target
from security.models import AuditEntry
from tests.factories import RemoteConnectionFactory, RemoteServerFactory, caller_for

pytestmark = pytest.mark.django_db


def create(caller: Caller, organization: Organization, **fields: Any) -> RemoteServer:
    given = {"name": "Harbour", "url": "https://mcp.example.com/mcp"} | fields
    return servers.create_server(caller, server=CreateServer(organization_id=organization.uid, **given))


def update(caller: Caller, server: RemoteServer, **fields: Any) -> servers.Edited:
    return servers.update_server(caller, change=UpdateServer(server_id=server.pk, **fields))


def test_a_server_is_made_with_its_slug_of_the_first_name(admin: Caller, organization: Organization) -> None:
    made = create(admin, organization, name="HubSpot  CRM (Europe, sales)")
    assert (made.name, made.slug) == ("HubSpot CRM (Europe, sales)", "hubspot-crm-europe-sales")
    assert update(admin, made, name="Other").server.slug == made.slug
    assert create(admin, organization, name="日本").slug == "server"


def test_a_server_is_seen_by_everybody_of_the_organization_and_by_nobody_else(
    admin: Caller, member: Caller, stranger: Caller, organization: Organization
) -> None:
    made = create(admin, organization)
    assert servers.find_server(member, server_id=made.pk) == made
    assert servers.list_servers(member).rows == [made]
    assert servers.list_servers(stranger).rows == []
    with pytest.raises(NotFound):
        servers.find_server(stranger, server_id=made.pk)
    with pytest.raises(NotFound):
        servers.list_servers(stranger, organization_id=organization.uid)


WRITES: dict[str, Callable[[Caller, RemoteServer], object]] = {
    "create": lambda caller, server: create(caller, server.organization, name="Second"),
    "update": lambda caller, server: update(caller, server, name="Mine"),
    "enable": lambda caller, server: servers.set_enabled(caller, server_id=server.pk, enabled=False),
    "delete": lambda caller, server: servers.delete_server(caller, server_id=server.pk),
}


@pytest.mark.parametrize("verb", WRITES)
def test_only_admins_with_the_scope_admin_change_anything(
    admin: Caller, member: Caller, stranger: Caller, organization: Organization, verb: str
) -> None:
    server = RemoteServerFactory(organization=organization)
    narrow = caller_for(organization.members.get(pk=admin.user_id), Scope.WRITE)
    refusals: list[tuple[Caller, type[DomainError]]] = [(member, Forbidden), (narrow, Forbidden), (stranger, NotFound)]
    for caller, refusal in refusals:
        with pytest.raises(refusal):
            WRITES[verb](caller, server)
    assert list(RemoteServer.objects.values_list("name", "enabled")) == [(server.name, True)]
    WRITES[verb](admin, server)
    assert AuditEntry.objects.filter(user_id=admin.user_id, target__startswith="remote_server:").count() == 1


def test_a_name_is_there_once_in_an_organization(admin: Caller, organization: Organization) -> None:
    create(admin, organization)
    other = create(admin, organization, name="Other")
    with pytest.raises(Conflict, match="Harbour"):
        create(admin, organization)
    with pytest.raises(Conflict):
        update(admin, other, name="Harbour")


def test_an_edit_grows_the_revision_and_forgets_the_last_test(admin: Caller, organization: Organization) -> None:
    server = RemoteServerFactory(organization=organization, fault_code="invalid_client", fault="…", test_code="tls")
    edited = update(admin, server, scopes=None, name="New").server
    assert (edited.revision, edited.fault_code, edited.test_code) == (2, "", "")


@pytest.mark.parametrize(
    "change",
    [{"url": "https://elsewhere.example.com/mcp"}, {"client_id": "another"}, {"auth_type": "none"}],
    ids=["address", "client", "authentication"],
)
def test_what_a_connection_was_made_for_ends_it_when_it_changes(admin: Caller, change: dict[str, Any]) -> None:
    server = RemoteServerFactory(organization=admin_organization(admin), oauth=True)
    RemoteConnectionFactory(server=server)
    update(admin, server, name="Only another name")
    assert RemoteConnection.objects.exists()
    update(admin, server, **change)
    assert not RemoteConnection.objects.exists()


def test_targets_come_in_the_order_asked_for_with_the_callers_own_token(member: Caller) -> None:
    organization = admin_organization(member)
    connected = RemoteConnectionFactory(server__organization=organization, user_id=member.user_id, generation=3)
    RemoteConnectionFactory(server=connected.server)  # a colleague's
    plain, disabled = RemoteServerFactory(organization=organization), RemoteServerFactory(enabled=False)
    disabled.organization = organization
    disabled.save()
    wanted = [disabled.pk, plain.pk, connected.server.pk, plain.pk]
    one, two, three = servers.targets_for(member, wanted)
    assert isinstance(one, Problem)
    assert one.code == Code.DISABLED
    assert isinstance(two, Target)
    assert (two.credential.headers, two.credential.key) == ({}, f"server:{plain.pk}:1")
    assert isinstance(three, Target)
    assert three.credential.headers == {"Authorization": f"Bearer {connected.access_token}"}
    assert three.credential.key == f"connection:{connected.pk}:3"
    assert connected.access_token not in repr(three)


def test_a_server_that_cannot_be_used_says_why(member: Caller, stranger: Caller) -> None:
    organization = admin_organization(member)
    broken = RemoteConnectionFactory(
        server__organization=organization, user_id=member.user_id, status="error", error="The grant expired."
    )
    unconnected = RemoteServerFactory(organization=organization, oauth=True)
    foreign = RemoteServerFactory()
    found = servers.targets_for(member, [broken.server.pk, unconnected.pk, foreign.pk])
    problems = [one for one in found if isinstance(one, Problem)]
    assert [one.code for one in problems] == [Code.CONNECTION_ERROR, Code.NOT_CONNECTED, Code.NOT_FOUND]
    assert problems[0].message == "The grant expired."
    assert foreign.name not in problems[2].message + problems[2].server_name


def test_badges_say_one_of_four_words(member: Caller) -> None:
    organization = admin_organization(member)
    expected = {
        RemoteServerFactory(organization=organization, enabled=False, tested_at="2026-01-01T00:00Z"): Badge.DISABLED,
        RemoteServerFactory(organization=organization): Badge.NOT_CONNECTED,
        RemoteServerFactory(organization=organization, tested_at="2026-01-01T00:00Z"): Badge.CONNECTED,
        RemoteServerFactory(organization=organization, test_code="tls", test_message="…"): Badge.CONNECTION_ERROR,
        RemoteServerFactory(organization=organization, oauth=True): Badge.NOT_CONNECTED,
        RemoteConnectionFactory(server__organization=organization, user_id=member.user_id).server: Badge.CONNECTED,
        RemoteConnectionFactory(
            server__organization=organization, user_id=member.user_id, status="error"
        ).server: Badge.CONNECTION_ERROR,
        RemoteConnectionFactory(server__organization=organization).server: Badge.NOT_CONNECTED,
        RemoteConnectionFactory(
            server__organization=organization, server__fault_code="invalid_client", user_id=member.user_id
        ).server: Badge.CONNECTION_ERROR,
    }
    found = {one: badge(one, own_connection(one)) for one in servers.list_servers(member).rows}
    assert found == expected
    assert {str(one) for one in Badge} == {"Connected", "Connection error", "Not connected", "Disabled"}


def admin_organization(caller: Caller) -> Organization:
    return Organization.objects.for_caller(caller).get()


def test_an_unknown_value_is_invalid_and_names_its_field(admin: Caller, organization: Organization) -> None:
    with pytest.raises(Invalid) as refused:
        create(admin, organization, auth_type="oauth")
    assert refused.value.data == {"field": "clientId"}
