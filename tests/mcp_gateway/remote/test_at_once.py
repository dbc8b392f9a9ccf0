"""Several at the same moment: workers that discover, and admins that decide."""

from typing import Any

import pytest

from accounts.caller import Caller
from accounts.errors import Conflict
from accounts.models import Organization, Role
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote.services import tools
from tests.factories import MembershipFactory, RemoteServerFactory, caller_for
from tests.mcp_gateway.remote.test_servers import create
from tests.mcp_gateway.remote.test_tools import described
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_workers_that_discover_at_once_remember_each_tool_once(organization: Organization) -> None:
    server = RemoteServerFactory(organization=organization, hold_changes=True)
    listed = [described(f"tool_{number}") for number in range(20)]

    def discover() -> Any:
        return tools.note_discovered(server.pk, listed)

    found = at_once(*[discover] * 6)
    assert all(set(one) == {tool["name"] for tool in listed} for one in found)
    # Who came second has not taken the first one's tools for later ones.
    assert not any(decision.held for one in found for decision in one.values())
    assert RemoteTool.objects.filter(server=server).count() == 20


def test_of_admins_who_take_one_name_at_once_one_gets_it(organization: Organization) -> None:
    admins = [caller_for(MembershipFactory(organization=organization, role=Role.ADMIN).user) for _ in range(4)]

    def add(admin: Caller) -> Any:
        try:
            return create(admin, organization)
        except Conflict as refused:
            return refused.code

    made = at_once(*[lambda admin=admin: add(admin) for admin in admins])
    assert sorted(map(str, made)) == ["Harbour", "name_taken", "name_taken", "name_taken"]
    assert RemoteServer.objects.count() == 1


def test_decisions_made_during_a_discovery_are_not_lost(organization: Organization) -> None:
    admin = caller_for(MembershipFactory(organization=organization, role=Role.ADMIN).user)
    server = RemoteServerFactory(organization=organization)
    tools.note_discovered(server.pk, [described("search")])
    row = RemoteTool.objects.get()

    def discover() -> Any:
        return tools.note_discovered(server.pk, [described("search", "Changed."), described("fetch")])

    def decide() -> Any:
        return tools.set_tool_policy(admin, server_id=server.pk, tool_id=row.pk, enabled=False, ask_first=True)

    at_once(discover, decide, discover)
    row.refresh_from_db()
    assert (row.enabled, row.ask_first, row.definition["description"]) == (False, True, "Changed.")
    assert RemoteTool.objects.count() == 2
