"""Who signs people in for a server: what challenges and descriptions say, and where they are looked for."""

import httpx2
import pytest
from asgiref.sync import async_to_sync
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from mcp_gateway.models import Transport
from mcp_gateway.remote.oauth import challenge, discovery, metadata
from mcp_gateway.remote.oauth.challenge import Challenge
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from tests.fakes.oauth_mcp_server import METADATA, RESOURCE_METADATA, OAuthMcpServer
from tests.fakes.oauth_provider import USE


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", Challenge()),
        ("Bearer", Challenge()),
        (
            'Bearer resource_metadata="https://a.example/m", scope="read write"',
            Challenge("https://a.example/m", "read write"),
        ),
        ("bearer scope=read,resource_metadata=https://a.example/m", Challenge("https://a.example/m", "read")),
        ('Basic realm="x", Bearer scope="read"', Challenge("", "read")),
        ('Bearer scope="read", DPoP scope="other"', Challenge("", "read")),
        ('DPoP algs="ES256", scope="other"', Challenge()),
        ('Bearer error_scope="no", scope="a \\"b\\""', Challenge("", 'a "b"')),
        ('Bearer realm="scope=no", error="invalid_token"', Challenge()),
        ('Bearer scope="unfinished', Challenge()),
    ],
)
def test_the_bearer_challenge_is_found_in_whatever_a_server_says(header: str, expected: Challenge) -> None:
    assert challenge.read(header) == expected


@given(st.text(max_size=200))
def test_no_header_breaks_the_reading(header: str) -> None:
    challenge.read(header)


@pytest.mark.parametrize(
    ("identifier", "url", "covered"),
    [
        ("https://a.example/mcp", "https://a.example/mcp", True),
        ("https://A.example:443/mcp", "https://a.example/mcp", True),
        ("https://a.example", "https://a.example/mcp", True),
        ("https://a.example/", "https://a.example/mcp", True),
        ("https://a.example/mcp/", "https://a.example/mcp", True),
        ("https://a.example/mc", "https://a.example/mcp", False),
        ("https://a.example/mcp/more", "https://a.example/mcp", False),
        ("http://a.example/mcp", "https://a.example/mcp", False),
        ("https://a.example:8443/mcp", "https://a.example/mcp", False),
        ("https://a.example.evil.example/mcp", "https://a.example/mcp", False),
        ("https://[", "https://a.example/mcp", False),
        ("", "https://a.example/mcp", False),
    ],
)
def test_a_description_covers_its_server_and_what_lies_below(identifier: str, url: str, covered: bool) -> None:
    assert metadata.covers(identifier, url) == covered


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example", "https://a.example", True),
        ("https://a.example", "https://a.example/", True),
        ("https://a.example/t", "https://a.example/t/", False),
        ("https://a.example", "https://A.example", False),
        ("", "", False),
        ("", "/", False),
    ],
)
def test_issuers_are_compared_as_text_but_for_the_slash_of_an_origin(one: str, other: str, same: bool) -> None:
    assert metadata.same_issuer(one, other) == metadata.same_issuer(other, one) == same


def test_a_provider_with_a_path_is_looked_up_as_the_standards_have_it() -> None:
    assert metadata.authority_urls("https://a.example/t/") == [
        "https://a.example/.well-known/oauth-authorization-server/t",
        "https://a.example/.well-known/openid-configuration/t",
        "https://a.example/t/.well-known/openid-configuration",
    ]
    assert metadata.authority_urls("https://a.example") == [
        "https://a.example/.well-known/oauth-authorization-server",
        "https://a.example/.well-known/openid-configuration",
    ]


def found(fake: OAuthMcpServer, transport: str = Transport.STREAMABLE_HTTP) -> discovery.Discovery:
    return async_to_sync(discovery.discover)(fake.url, transport)


def test_a_server_is_believed_where_its_challenge_points(oauth_mcp: OAuthMcpServer) -> None:
    elsewhere = {"resource": oauth_mcp.url, "authorization_servers": [oauth_mcp.issuer]}
    header = 'Bearer resource_metadata="/about/me", scope="one two"'
    oauth_mcp.answers["/mcp"] = [Response(status_code=401, headers={"WWW-Authenticate": header})]
    oauth_mcp.answers["/about/me"] = [JSONResponse(elsewhere)]
    discovered = found(oauth_mcp)
    assert discovered.challenge.scope == "one two"
    assert [request.path for request in oauth_mcp.seen] == ["/mcp", "/about/me", METADATA]


def test_a_page_where_a_description_should_be_is_passed_over(oauth_mcp: OAuthMcpServer) -> None:
    """Many sites answer with their page, whatever is asked for."""
    oauth_mcp.answers["/mcp"] = [HTMLResponse("<h1>Sign in</h1>", status_code=401)]
    oauth_mcp.answers[RESOURCE_METADATA] = [HTMLResponse("<h1>Welcome</h1>")]
    oauth_mcp.answers["/.well-known/oauth-protected-resource"] = [HTMLResponse("<h1>Welcome</h1>")]
    discovered = found(oauth_mcp)
    assert (discovered.authority.issuer, discovered.assumed) == (oauth_mcp.issuer, False)


def test_a_redirect_within_the_origin_is_followed(oauth_mcp: OAuthMcpServer) -> None:
    moved = httpx2.get(oauth_mcp.issuer + METADATA, trust_env=False).json()
    oauth_mcp.answers[METADATA] = [RedirectResponse("/moved", status_code=301)]
    oauth_mcp.answers["/moved"] = [JSONResponse(moved)]
    assert found(oauth_mcp).authority.token_endpoint == f"{oauth_mcp.issuer}/token"


def test_a_server_that_says_nothing_is_asked_as_in_the_first_revision(oauth_mcp: OAuthMcpServer) -> None:
    oauth_mcp.answers["/mcp"] = [Response(status_code=401)]
    for path in (RESOURCE_METADATA, "/.well-known/oauth-protected-resource", METADATA):
        oauth_mcp.answers[path] = [Response(status_code=404)]
    discovered = found(oauth_mcp)
    assert discovered.assumed
    assert discovered.authority.registration_endpoint == f"{oauth_mcp.issuer}/register"
    oauth_mcp.answers["/mcp"] = [JSONResponse({"jsonrpc": "2.0", "id": 1, "result": {"tools": []}})]
    with pytest.raises(SignInFailed) as failure:
        found(oauth_mcp)
    assert failure.value.reason == Reason.NO_SIGN_IN


def test_an_endless_stream_is_not_waited_for(oauth_mcp: OAuthMcpServer) -> None:
    assert found(oauth_mcp, Transport.SSE).resource.scopes == (USE,)
    assert oauth_mcp.seen[0].method == "GET"


def test_a_description_with_members_of_the_wrong_kind_is_read_as_without_them(oauth_mcp: OAuthMcpServer) -> None:
    oauth_mcp.altered[METADATA] = lambda document: {
        **document,
        "scopes_supported": "one two",
        "registration_endpoint": {"url": "x"},
        "token_endpoint_auth_methods_supported": None,
        "authorization_response_iss_parameter_supported": "true",
    }
    authority = found(oauth_mcp).authority
    assert (authority.scopes, authority.registration_endpoint, authority.auth_methods) == (("one", "two"), "", None)
    assert not authority.names_itself
