"""Addresses of the inside, brought to every place where one can come in: nobody is there who hears of it."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.caller import Caller
from accounts.errors import Invalid
from accounts.models import Organization, User
from accounts.scopes import Scope
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.services import servers, testing
from mcp_gateway.remote.shapes import CreateServer, ServerDraft, UpdateServer
from mcp_gateway.rest.routes import remote_api
from tests.agents_hub.api.door import fault, rest
from tests.factories import RemoteServerFactory
from tests.mcp_gateway.remote.guard.conftest import Guard
from tests.mcp_gateway.remote.guard.places import MOVED, NAMED, Place, Stage
from tests.security.outbound.loopback import INSIDE, OPENED, Server

pytestmark = [pytest.mark.django_db, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2", "::1"])]

HOSTS = [
    "127.0.0.1", "127.1", "0", "0.0.0.0", "127.000.000.001", "2130706433", "017700000001", "0x7f000001", "0177.0.0.1",
    "localhost", "LOCALHOST", "localhost.", "metadata.google.internal", "①②⑦.⓪.⓪.①",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
    "[fe80::1]", "[fec0::1]", "[fd00:ec2::254]", "[ff02::1]", "[::1",
    "169.254.169.254", "2852039166", "100.100.100.200", "168.63.129.16", "10.0.0.1", "172.16.0.1", "192.168.0.1",
    "100.64.0.1", "198.18.0.1", "224.0.0.1",
]  # fmt: skip


def named(place: Place) -> str:
    return place.name


# Whose addresses show when they are looked up.
NAMES = [f"{name}.attacker.net" for name in ("loopback", "loopback6", "mixed", "mapped", "zone", "cloud")]


def hostile_urls(port: int, *, names: bool = True) -> list[str]:
    hosts = [*HOSTS, *NAMES] if names else HOSTS
    return [
        *(f"{scheme}://{host}:{port}/mcp" for host in hosts for scheme in ("https", "http")),
        f"http://example.com@127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}\\@example.com/",
        "file:///etc/passwd",
    ]


# A redirect is judged like the address of a request: a few of them show that it is.
TARGETS = [
    "https://127.0.0.1:{port}/mcp",
    "https://0x7f000001:{port}/mcp",
    "https://localhost:{port}/mcp",
    "https://[::ffff:127.0.0.1]:{port}/mcp",
    "//127.1:{port}/mcp",
    "http://loopback.attacker.net:{port}/mcp",
    "http://169.254.169.254/latest/meta-data/",
    "http://example.com@127.0.0.1:{port}/",
    "file:///etc/passwd",
]


@pytest.mark.parametrize("place", NAMED, ids=named)
def test_nothing_inside_is_asked_wherever_it_is_named(place: Place, stage: Stage, canary: Server) -> None:
    words = {url: place.ask(stage, url) for url in hostile_urls(canary.port, names=place.followed)}
    assert canary.connections == 0
    assert {url: word for url, word in words.items() if word not in place.refused} == {}


@pytest.mark.parametrize("place", MOVED, ids=named)
def test_nothing_inside_is_asked_whoever_redirects_there(place: Place, stage: Stage, canary: Server) -> None:
    words = {target: place.ask(stage, target.format(port=canary.port)) for target in TARGETS}
    assert canary.connections == 0
    assert {target: word for target, word in words.items() if word not in place.refused} == {}


@pytest.mark.parametrize("place", [*NAMED, *MOVED], ids=named)
def test_what_is_let_is_gone_to_from_there(place: Place, guard: Guard, stage: Stage, canary: Server) -> None:
    """That nothing was heard above is the guard's doing, or the place's own rule; and not the test's."""
    guard.policy = replace(guard.policy, opened=(*OPENED, ip_network(INSIDE)))
    place.ask(stage, f"https://{INSIDE}:{canary.port}/mcp")
    assert (canary.connections > 0) is place.followed


# Where people enter one -----------------------------------------------------------------------------------------------

Enter = Callable[[str], str]


@pytest.fixture(
    params=["service", "edit", "unsaved", "rest", "rest-edit", "rest-unsaved", "page", "page-edit", "page-unsaved"]
)
def enter(request: pytest.FixtureRequest, guard: Guard, admin: Caller, organization: Organization) -> Enter:
    """Enters an address as an admin, through one of the doors, and gives the field that is blamed, or nothing."""
    door, person = request.param, User.objects.get(pk=admin.user_id)
    saved = RemoteServerFactory(organization=organization, url="https://mcp.example.com/mcp")
    api, browser = rest(person, Scope.ADMIN, remote_api), Client()
    browser.force_login(person)

    def served(url: str) -> None:
        given = {"organization_id": organization.uid, "name": "Harbour", "url": url}
        if door == "service":
            servers.create_server(admin, server=CreateServer(**given))
        elif door == "edit":
            servers.update_server(admin, change=UpdateServer(server_id=saved.pk, url=url))
        else:
            async_to_sync(testing.test_configuration)(admin, draft=ServerDraft(**given))

    def by_service(url: str) -> str:
        try:
            served(url)
        except Invalid as refused:
            return str(refused.data["field"])
        return ""

    def by_rest(url: str) -> str:
        given = {"organizationId": str(organization.uid), "name": "Harbour", "url": url}
        if door == "rest-edit":
            answer = api.ask("PATCH", f"servers/{saved.pk}", {"url": url})
        else:
            answer = api.post("servers" if door == "rest" else "servers/test", given)
        return "url" if fault(answer)[0] == 400 else str(answer.status_code)

    def by_page(url: str) -> str:
        form = {"name": "Harbour", "url": url, "transport": "streamable_http", "auth_type": "none"}
        where = f"{saved.pk}/edit" if door == "page-edit" else "add"
        answer = browser.post(
            f"/dashboard/integrations/{where}", form | ({"act": "test"} if door == "page-unsaved" else {})
        )
        return "url" if answer.status_code == 422 and 'id="id_url_error"' in answer.text else ""

    return by_rest if door.startswith("rest") else by_page if door.startswith("page") else by_service


def test_no_address_of_the_inside_is_entered(enter: Enter, canary: Server) -> None:
    fields = {url: enter(url) for url in hostile_urls(canary.port, names=False)}
    assert {url: field for url, field in fields.items() if field != "url"} == {}
    assert canary.connections == 0
    assert [server.url for server in RemoteServer.objects.all()] == ["https://mcp.example.com/mcp"]


def test_an_admin_can_mend_a_row_that_holds_no_url(stage: Stage, admin: Caller) -> None:
    stage.lead("https://[::1/mcp")
    mended = servers.update_server(
        admin, change=UpdateServer(server_id=stage.server.pk, url="https://mcp.example.com/")
    )
    assert mended.server.url == "https://mcp.example.com/"
