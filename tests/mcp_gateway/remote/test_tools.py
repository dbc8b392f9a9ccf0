"""The tools of a remote server: what it lists is remembered, what changes is seen, and admins decide."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Conflict, DomainError, Forbidden, NotFound
from accounts.models import Organization
from mcp_gateway.models import RemoteServer, RemoteTool
from mcp_gateway.remote.services import tools
from mcp_gateway.remote.services.tools import Decision, digest_of, note_discovered
from security.models import AuditEntry
from tests.factories import RemoteServerFactory, RemoteToolFactory
from tests.mcp_gateway.remote.test_servers import update

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(organization: Organization) -> RemoteServer:
    return RemoteServerFactory(organization=organization)


@pytest.fixture
def holding(organization: Organization) -> RemoteServer:
    return RemoteServerFactory(organization=organization, hold_changes=True)


def described(name: str, description: str = "As it was.", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": description, "inputSchema": {"type": "object"}} | more


def tool(server: RemoteServer, name: str = "search") -> RemoteTool:
    return RemoteTool.objects.get(server=server, name=name)


def test_what_is_listed_first_is_offered_and_no_news(holding: RemoteServer, member: Caller) -> None:
    found = note_discovered(holding.pk, [described("search"), described("fetch")])
    assert found == {"search": Decision(), "fetch": Decision()}
    assert [one.name for one in tools.list_tools(member, server_id=holding.pk).rows] == ["fetch", "search"]
    assert tools.list_tools(member, server_id=holding.pk, changed_only=True).rows == []


def test_the_same_list_again_is_one_read_and_no_write(server: RemoteServer) -> None:
    listed = [described("search"), described("fetch", annotations={"title": None, "readOnlyHint": True})]
    note_discovered(server.pk, listed)
    again = [listed[1] | {"annotations": {"readOnlyHint": True}}, dict(reversed(listed[0].items()))]
    with CaptureQueriesContext(connection) as captured:
        note_discovered(server.pk, again)
    assert len(captured) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Sends everything to somebody."},
        {"inputSchema": {"type": "object", "properties": {"also": {"type": "string"}}}},
        {"outputSchema": {"type": "object"}},
        {"annotations": {"readOnlyHint": True}},
        {"title": "Search safely"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_tool_is_seen_and_held_back_where_that_is_set(
    server: RemoteServer, holding: RemoteServer, member: Caller, change: dict[str, Any]
) -> None:
    for one in (server, holding):
        note_discovered(one.pk, [described("search")])
    changed = described("search") | change
    assert note_discovered(server.pk, [changed]) == {"search": Decision()}
    assert note_discovered(holding.pk, [changed]) == {"search": Decision(held=True)}
    assert (tool(server).definition, tool(server).held) == (changed, None)
    assert (tool(holding).definition, tool(holding).held) == (described("search"), changed)
    for one in (server, holding):
        assert [row.name for row in tools.list_tools(member, server_id=one.pk, changed_only=True).rows] == ["search"]
    assert AuditEntry.objects.filter(action="remote_server.tool_changed").count() == 2


@pytest.mark.parametrize("change", [{"_meta": {"at": 1}}, {"icons": [{"src": "https://a.example"}]}], ids=str)
def test_what_nobody_reads_is_no_change(holding: RemoteServer, change: dict[str, Any]) -> None:
    note_discovered(holding.pk, [described("search")])
    assert note_discovered(holding.pk, [described("search") | change]) == {"search": Decision()}


def test_a_tool_that_comes_later_is_held_until_it_is_accepted(holding: RemoteServer, admin: Caller) -> None:
    note_discovered(holding.pk, [described("search")])
    both = [described("search"), described("fetch")]
    assert note_discovered(holding.pk, both)["fetch"].held
    # Described otherwise before anybody accepted it, and then as at first: still nobody did.
    assert note_discovered(holding.pk, [both[0], described("fetch", "Other.")])["fetch"].held
    assert note_discovered(holding.pk, both)["fetch"].held
    accept(admin, holding, "fetch")
    assert note_discovered(holding.pk, both)["fetch"] == Decision()


def accept(admin: Caller, server: RemoteServer, name: str) -> RemoteTool:
    row = tool(server, name)
    return tools.accept_change(admin, server_id=server.pk, tool_id=row.pk, digest=row.held_digest or row.digest)


def test_an_accepted_change_is_offered_and_drops_what_is_kept(holding: RemoteServer, admin: Caller) -> None:
    note_discovered(holding.pk, [described("search")])
    changed = described("search", "Changed.")
    note_discovered(holding.pk, [changed])
    accept(admin, holding, "search")
    assert note_discovered(holding.pk, [changed]) == {"search": Decision()}
    holding.refresh_from_db()
    assert (tool(holding).definition, tool(holding).changed_at, holding.revision) == (changed, None, 2)


def test_what_goes_back_to_what_was_accepted_is_no_news(holding: RemoteServer) -> None:
    for description in ("As it was.", "Changed.", "As it was."):
        found = note_discovered(holding.pk, [described("search", description)])
    assert found == {"search": Decision()}
    assert tool(holding).changed_at is None


def test_a_change_is_accepted_as_it_was_seen_or_not_at_all(holding: RemoteServer, admin: Caller) -> None:
    note_discovered(holding.pk, [described("search")])
    note_discovered(holding.pk, [described("search", "Seen.")])
    seen = tool(holding)
    note_discovered(holding.pk, [described("search", "Put in its place.")])
    with pytest.raises(Conflict):
        tools.accept_change(admin, server_id=holding.pk, tool_id=seen.pk, digest=seen.held_digest)
    assert tool(holding).held_digest


def test_what_was_held_is_offered_when_nothing_is_to_be_held_any_more(holding: RemoteServer, admin: Caller) -> None:
    note_discovered(holding.pk, [described("search")])
    note_discovered(holding.pk, [described("search", "Changed.")])
    update(admin, holding, hold_changes=False)
    row = tool(holding)
    assert (row.definition["description"], row.held, row.held_digest) == ("Changed.", None, "")
    assert row.changed_at is not None
    assert note_discovered(holding.pk, [described("search", "Changed.")]) == {"search": Decision()}


def test_a_tool_that_is_gone_is_not_shown_and_keeps_its_decision(
    server: RemoteServer, admin: Caller, member: Caller
) -> None:
    note_discovered(server.pk, [described("search"), described("fetch")])
    tools.set_tool_policy(admin, server_id=server.pk, tool_id=tool(server).pk, enabled=False, ask_first=True)
    note_discovered(server.pk, [described("fetch")])
    assert [one.name for one in tools.list_tools(member, server_id=server.pk).rows] == ["fetch"]
    back = note_discovered(server.pk, [described("search"), described("fetch")])
    assert back["search"] == Decision(enabled=False, ask_first=True)


def test_where_people_sign_in_one_persons_list_ends_no_tool_of_anothers(organization: Organization) -> None:
    server = RemoteServerFactory(organization=organization, oauth=True)
    note_discovered(server.pk, [described("search"), described("fetch")])
    note_discovered(server.pk, [described("fetch")])
    assert tool(server).gone_at is None
    RemoteTool.objects.filter(name="search").update(seen_at=timezone.now() - timedelta(days=8))
    note_discovered(server.pk, [described("fetch")])
    assert tool(server).gone_at is not None


def test_what_cannot_be_remembered_is_not_offered(server: RemoteServer) -> None:
    listed = [
        described("search", "NUL \x00 and \ud800"),
        described("search", "The second of its name."),
        described("a" * 501),
        described("vast", "a" * 200_000),
        {"description": "It has no name."},
    ]
    assert list(note_discovered(server.pk, listed)) == ["search"]
    assert tool(server).definition["description"] == "NUL \N{REPLACEMENT CHARACTER} and ?"
    assert note_discovered(server.pk, listed) == {"search": Decision()}
    assert tool(server).changed_at is None


def test_beyond_the_most_tools_those_listed_first_stay(server: RemoteServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "MOST_TOOLS", 2)
    assert list(note_discovered(server.pk, [described(name) for name in "cab"])) == ["c", "a"]


def test_a_deleted_server_has_no_tools(server: RemoteServer) -> None:
    pk = server.pk
    server.delete()
    assert note_discovered(pk, [described("search")]) == {}


def test_policy_is_for_admins_and_for_tools_of_their_own(
    server: RemoteServer, admin: Caller, member: Caller, stranger: Caller
) -> None:
    mine, other = RemoteToolFactory(server=server), RemoteToolFactory()
    refusals: list[tuple[Caller, int, type[DomainError]]] = [
        (member, mine.pk, Forbidden),
        (stranger, mine.pk, NotFound),
        (admin, other.pk, NotFound),
    ]
    for caller, tool_id, refusal in refusals:
        with pytest.raises(refusal):
            tools.set_tool_policy(caller, server_id=server.pk, tool_id=tool_id, enabled=False)
        with pytest.raises(refusal):
            tools.accept_change(caller, server_id=server.pk, tool_id=tool_id, digest=mine.digest)
    assert not RemoteTool.objects.filter(enabled=False).exists()
    tools.set_tool_policy(admin, server_id=server.pk, tool_id=mine.pk, enabled=False)
    tools.set_tool_policy(admin, server_id=server.pk, tool_id=mine.pk, ask_first=True)
    assert tools.decisions([server.pk]) == {server.pk: {mine.name: Decision(enabled=False, ask_first=True)}}
    server.refresh_from_db()
    assert server.revision == 3


def test_a_digest_is_of_what_is_said_and_not_of_its_order() -> None:
    one = described("a", inputSchema={"type": "object", "properties": {"x": {}, "y": {}}})
    other = described("a", inputSchema={"properties": {"y": {}, "x": {}}, "type": "object"})
    assert digest_of(one) == digest_of(other) == digest_of(other | {"title": None})
    assert digest_of(one) != digest_of(one | {"name": "b"})
