"""Two tenants: every route and every tool of the platform, found by itself, is tried with the other's ids."""

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.errors import DomainError, Invalid, NotFound
from accounts.scopes import Scope
from mcp_gateway.registry import Tool, registry
from mcp_gateway.rest.routes import APIS, PLATFORM, REST_ONLY, Route
from tests.agents_hub.api.door import Rest, fault, rest
from tests.agents_hub.api.tenants import Tenant, rows_of, secrets_of, tenant
from tests.agents_hub.api.trespassing import filled, named_ids, trespasses, without_what_excludes
from tests.file_storage import keep_files_in

pytestmark = pytest.mark.django_db
TOOLS = [*registry.tools(PLATFORM), *registry.tools(REST_ONLY)]
ROUTES = [route for api in APIS for route in api]
# What there is none of, whoever asks: no execution has used a browser.
NOT_THERE = {"executionRecordingGet"}


@pytest.fixture(autouse=True)
def _in_this_thread(settings: Settings) -> None:
    """What crosses to the event loop comes back into the test's transaction."""
    settings.QUICK_THREADS = 0


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    """What is uploaded lies in a folder of the test's own."""
    keep_files_in(tmp_path, settings)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_a_tool_finds_nothing_of_another_tenants(tool: Tool) -> None:
    own, other = tenant(), tenant()
    before = rows_of(other.organization)
    for sent in trespasses(tool.arguments, own, other):
        with pytest.raises((NotFound, Invalid)) as refused:
            tool.function(own.caller, tool.arguments.model_validate(sent))
        assert isinstance(refused.value, DomainError)
    assert rows_of(other.organization) == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.api.base}{route.path}")
def test_a_route_finds_nothing_of_another_tenants(route: Route) -> None:
    own, other = tenant(), tenant()
    before = rows_of(other.organization)
    key = rest(own.person, Scope.ADMIN, route.api)
    for sent in trespasses(route.arguments, own, other):
        code, message = fault(ask(key, route, sent))
        assert code in {404, 400}
        if foreign_in_path(route, sent, other) or "organizationId" in sent:
            assert code == 404
        assert not [one for one in secrets_of(other) if one in message and one not in str(sent)]
    assert rows_of(other.organization) == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.api.base}{route.path}")
def test_the_same_requests_are_answered_where_the_ids_are_ones_own(route: Route) -> None:
    own = tenant()
    sent = filled(route.arguments, own.ids)
    if "agentProfileId" in sent:
        del sent["agentProfilePoolId"]
    if route.arguments.__name__ == "Say":
        sent = without_what_excludes(route.arguments, sent, "conversationId")
    answer = ask(rest(own.person, Scope.ADMIN, route.api), route, sent)
    if route.tool.name in NOT_THERE:
        assert fault(answer) == (404, "This execution has no recording: it used no browser.")
        return
    # Nothing listens where the tenant's server is said to be.
    assert answer.status_code < 400 or (route.tool.calls_out and answer.status_code == 503), answer.content


@pytest.mark.parametrize("route", [one for one in ROUTES if one.method == "GET"], ids=lambda route: route.path)
def test_nothing_of_another_tenant_is_in_an_answer(route: Route) -> None:
    own, other = tenant(), tenant()
    filters = {"organizationId", *route.in_path}
    for left_out in (set(), {"organizationId"} - set(route.in_path)):
        sent = {name: value for name, value in filled(route.arguments, own.ids).items() if name in filters - left_out}
        answer = ask(rest(own.person, Scope.ADMIN, route.api), route, sent)
        content = b"".join(answer).decode()
        assert not [one for one in secrets_of(other) if one in content]


def test_the_sweep_found_the_tools_and_routes() -> None:
    assert {"agentList", "agentProfileGet", "getContext", "agentProfilePoolGet", "remoteServerGet"} <= {
        tool.name for tool in TOOLS
    }
    assert {route.tool.name for route in ROUTES} <= {tool.name for tool in TOOLS}
    found = set(itertools.chain.from_iterable(named_ids(tool.arguments) for tool in TOOLS))
    assert {"organizationId", "profileId", "poolId", "serverId", "toolId"} <= found


def foreign_in_path(route: Route, sent: dict[str, Any], other: Tenant) -> bool:
    return any(sent[name] == other.ids[name] for name in route.in_path)


def ask(key: Rest, route: Route, sent: dict[str, Any]) -> Any:
    path = route.path.format(**{name: sent[name] for name in route.in_path})
    beside = {name: _plain(value) for name, value in sent.items() if name not in route.in_path}
    if route.upload is not None:
        return key.send_file(route.method, path, "b.txt", b"other content")
    if route.method == "GET":
        query = urlencode(beside, doseq=True)
        return key.get(f"{path}?{query}" if query else path)
    return key.ask(route.method, path, beside or None)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, UUID) else value
