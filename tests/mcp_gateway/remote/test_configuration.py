"""A server's settings: what may be entered, and which secrets are kept, replaced and dropped."""

from typing import Any

import pytest
from pydantic import ValidationError
from pytest_django import Settings

from accounts.caller import Caller
from accounts.errors import Invalid
from accounts.models import Organization
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.services import servers
from mcp_gateway.remote.services.configuration import stored_headers
from mcp_gateway.remote.shapes import CreateServer, UpdateServer
from mcp_gateway.remote.targets import Target
from tests.mcp_gateway.remote.test_servers import create, update
from tests.security.outbound.hostile import HOSTS, URLS

pytestmark = pytest.mark.django_db
KEY = {"Authorization": "Bearer sesame", "X-Region": "north"}
CLIENT = {"auth_type": "oauth", "client_id": "app", "client_secret": "sesame"}


@pytest.fixture
def keyed(admin: Caller, organization: Organization) -> RemoteServer:
    return create(admin, organization, auth_type="api_key", headers=KEY)


@pytest.fixture
def signed(admin: Caller, organization: Organization) -> RemoteServer:
    return create(admin, organization, **CLIENT)


def headers_of(server: RemoteServer) -> dict[str, str]:
    return stored_headers(RemoteServer.objects.get(pk=server.pk))


def secret_of(server: RemoteServer) -> str | None:
    secret: str | None = RemoteServer.objects.get(pk=server.pk).client_secret
    return secret


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, KEY),
        ({"headers": None}, KEY),
        (
            {"headers": {"authorization": "[REDACTED]", "X-Region": ""}},
            {"authorization": "Bearer sesame", "X-Region": "north"},
        ),
        ({"headers": {"Authorization": "[REDACTED]"}}, {"Authorization": "Bearer sesame"}),
        ({"headers": {"Authorization": "Bearer new", "X-Region": "[REDACTED]"}}, KEY | {"Authorization": "Bearer new"}),
        ({"url": "https://mcp.example.com:443/other"}, KEY),
    ],
    ids=["nothing", "null", "redacted or empty", "one left out", "one replaced", "another path"],
)
def test_headers_are_kept_one_by_one_unless_replaced(
    admin: Caller, keyed: RemoteServer, sent: dict[str, Any], kept: dict[str, str]
) -> None:
    edited = update(admin, keyed, **sent)
    assert headers_of(keyed) == kept
    assert (edited.server.header_names, edited.dropped) == (list(kept), ())


ELSEWHERE = ["https://mcp.example.org/mcp", "https://mcp.example.com:8443/mcp", "http://127.0.0.1/mcp"]


@pytest.mark.parametrize("url", ELSEWHERE, ids=["host", "port", "scheme"])
@pytest.mark.parametrize("headers", [None, dict.fromkeys(KEY, "[REDACTED]")], ids=["left out", "redacted"])
def test_headers_are_dropped_where_the_address_leads_elsewhere(
    admin: Caller, keyed: RemoteServer, url: str, headers: dict[str, str] | None
) -> None:
    edited = update(admin, keyed, url=url, headers=headers)
    assert (headers_of(keyed), edited.dropped) == ({}, ("Authorization", "X-Region"))
    # Back at the old address there is nothing to come back.
    update(admin, keyed, url="https://mcp.example.com/mcp", headers={"X-New": "1"})
    assert headers_of(keyed) == {"X-New": "1"}


def test_a_header_entered_with_the_new_address_is_for_it(admin: Caller, keyed: RemoteServer) -> None:
    edited = update(admin, keyed, url=ELSEWHERE[0], headers={"Authorization": "Bearer other", "X-Region": "[REDACTED]"})
    assert (headers_of(keyed), edited.dropped) == ({"Authorization": "Bearer other"}, ("X-Region",))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({}, "sesame"),
        ({"client_secret": "[REDACTED]"}, "sesame"),
        ({"client_secret": ""}, "sesame"),
        ({"client_id": "app", "scopes": "a  b a"}, "sesame"),
        ({"client_secret": "new"}, "new"),
        ({"client_id": "other"}, None),
        ({"client_id": "other", "client_secret": "[REDACTED]"}, None),
        ({"client_id": "other", "client_secret": "new"}, "new"),
        ({"url": ELSEWHERE[0]}, None),
        ({"url": ELSEWHERE[0], "client_secret": "[REDACTED]"}, None),
        ({"url": ELSEWHERE[0], "client_secret": "new"}, "new"),
        ({"client_mode": "dynamic"}, None),
        ({"auth_type": "none"}, None),
    ],
    ids=lambda value: ",".join(f"{name}={part}" for name, part in value.items()) if isinstance(value, dict) else None,
)
def test_a_client_secret_is_kept_with_its_client_and_address(
    admin: Caller, signed: RemoteServer, sent: dict[str, Any], kept: str | None
) -> None:
    update(admin, signed, **sent)
    assert secret_of(signed) == kept


def test_secrets_lie_sealed_and_are_in_no_dump_of_what_was_sent(admin: Caller, keyed: RemoteServer) -> None:
    sent = UpdateServer(server_id=keyed.pk, headers=KEY, client_secret="sesame")
    for dumped in (sent.model_dump_json(by_alias=True), str(sent.model_dump(mode="json")), str(sent.model_dump())):
        assert "sesame" not in dumped
        assert "[REDACTED]" in dumped
    assert "sesame" not in repr(RemoteServer.objects.values("headers", "client_secret").get(pk=keyed.pk))


REFUSED_HEADERS = {
    "a line break": {"X-Key": "a\r\nHost: other"},
    "a lone line feed": {"X-Key": "a\nb"},
    "NUL": {"X-Key": "a\x00b"},
    "accents": {"X-Key": "schlüssel"},
    "blank": {"X-Key": "   "},
    "a name with a space": {"X Key": "a"},
    "a name with a colon": {"X-Key:": "a"},
    "a name with a line break": {"X-Key\r\nHost": "a"},
    "no name": {" ": "a"},
    "Host": {"host": "a"},
    "Content-Length": {"Content-Length": "0"},
    "Transfer-Encoding": {"Transfer-Encoding": "chunked"},
    "Connection": {"connection": "close"},
    "the protocol's": {"Mcp-Session-Id": "a"},
    "a proxy's": {"Proxy-Authorization": "a"},
    "a name twice": {"X-Key": "a", "x-key": "b"},
    "kept and not there": {"X-Key": "[REDACTED]"},
    "too much": {f"X-{number}": "a" * 8000 for number in range(3)},
    "none": {},
}


@pytest.mark.parametrize("headers", REFUSED_HEADERS.values(), ids=REFUSED_HEADERS)
def test_headers_that_cannot_be_sent_are_refused(
    admin: Caller, organization: Organization, headers: dict[str, str]
) -> None:
    with pytest.raises(Invalid) as refused:
        create(admin, organization, auth_type="api_key", headers=headers)
    assert refused.value.data == {"field": "headers"}
    assert not RemoteServer.objects.exists()


def test_more_headers_than_anybody_needs_are_refused(organization: Organization) -> None:
    with pytest.raises(ValidationError):
        CreateServer(
            organization_id=organization.uid, name="a", url="b", headers={f"X-{number}": "a" for number in range(21)}
        )


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"headers": KEY}, "headers"),
        ({"client_id": "app"}, "authType"),
        ({"auth_type": "oauth"}, "clientId"),
        ({"auth_type": "oauth", "client_mode": "dynamic", "client_id": "app"}, "clientMode"),
        ({"auth_type": "oauth", "client_id": "app", "client_secret": "[REDACTED]"}, "clientSecret"),
        ({"auth_type": "oauth", "client_id": "a\nb"}, "clientId"),
        (CLIENT | {"scopes": 'read "all"'}, "scopes"),
        (CLIENT | {"headers": KEY}, "headers"),
        ({"name": " \t "}, "name"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_settings_that_do_not_go_together_are_refused(
    admin: Caller, organization: Organization, fields: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        create(admin, organization, **fields)
    assert refused.value.data == {"field": field}


# Names are looked up when they are dialled; what is refused by its form is refused before anything is saved.
LITERAL = [host for host in HOSTS if "attacker" not in host]


@pytest.mark.parametrize("scheme", ["https", "http"])
def test_hosts_that_lead_inside_are_refused_before_they_are_saved(
    admin: Caller, organization: Organization, keyed: RemoteServer, settings: Settings, scheme: str
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    stored = keyed.url
    for host in LITERAL:
        with pytest.raises(Invalid) as refused:
            create(admin, organization, name="Inside", url=f"{scheme}://{host}/mcp")
        assert refused.value.data == {"field": "url"}, host
        with pytest.raises(Invalid):
            update(admin, keyed, url=f"{scheme}://{host}/mcp")
    assert list(RemoteServer.objects.values_list("url", flat=True)) == [stored]


@pytest.mark.parametrize(
    "url",
    [
        *URLS,
        "http://example.com@127.0.0.1/",
        "http://127.0.0.1\\@example.com/",
        "file:///etc/passwd",
        "https://user:pass@mcp.example.com/",
        "https://mcp.example.com/#secret",
        "https://mcp.example.com/?api_key=sesame",
        "https://mcp.example.com/?x=1&access_token=sesame",
        "https://mcp.example.com/" + "a" * 2000,
        "mcp.example.com",
    ],
)
def test_urls_that_mean_something_else_are_refused(
    admin: Caller, organization: Organization, settings: Settings, url: str
) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = False
    with pytest.raises((Invalid, ValidationError)) as refused:
        create(admin, organization, url=url)
    assert "sesame" not in str(refused.value)


def test_local_servers_are_for_development(admin: Caller, organization: Organization, settings: Settings) -> None:
    settings.OUTBOUND_ALLOW_LOCAL = True
    assert create(admin, organization, url="http://localhost:3001/mcp").url == "http://localhost:3001/mcp"


def test_what_is_stored_is_what_is_sent(admin: Caller, keyed: RemoteServer) -> None:
    (target,) = servers.targets_for(admin, [keyed.pk])
    assert isinstance(target, Target)
    assert target.credential.headers == KEY
    assert "sesame" not in repr(target)
