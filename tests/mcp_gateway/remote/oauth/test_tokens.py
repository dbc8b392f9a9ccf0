"""What providers really answer, and what is made of it."""

import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_gateway.remote.oauth.tokens import ProviderUnavailable, TokenAnswer, TokenError, TokenRefused, read

TOKEN = {"access_token": "a-token", "token_type": "Bearer"}


def answer(status: int = 200, /, **members: object) -> httpx2.Response:
    return httpx2.Response(status, json=members)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, TokenAnswer("a-token")),
        ({"token_type": "bEARER"}, TokenAnswer("a-token")),
        ({"token_type": None}, TokenAnswer("a-token")),
        ({"expires_in": 3600}, TokenAnswer("a-token", expires_in=3600)),
        ({"expires_in": "3600"}, TokenAnswer("a-token", expires_in=3600)),
        ({"expires_in": 3599.7}, TokenAnswer("a-token", expires_in=3599)),
        ({"expires_in": 0}, TokenAnswer("a-token")),
        ({"expires_in": -1}, TokenAnswer("a-token")),
        ({"expires_in": True}, TokenAnswer("a-token")),
        ({"expires_in": "soon"}, TokenAnswer("a-token")),
        ({"expires_in": "1e999"}, TokenAnswer("a-token")),
        ({"expires_in": 10**30}, TokenAnswer("a-token", expires_in=31_536_000)),
        ({"scope": "read write"}, TokenAnswer("a-token", scope="read write")),
        ({"scope": "read,write"}, TokenAnswer("a-token", scope="read write")),
        ({"scope": ["read", "write", 7]}, TokenAnswer("a-token", scope="read write")),
        ({"scope": None}, TokenAnswer("a-token")),
        ({"refresh_token": ""}, TokenAnswer("a-token")),
        ({"refresh_token": None}, TokenAnswer("a-token")),
        ({"refresh_token": "r"}, TokenAnswer("a-token", refresh_token="r")),
        ({"refresh_token": "r\r\nX-Header: y"}, TokenAnswer("a-token")),
    ],
    ids=str,
)
def test_oddities_of_a_good_answer_are_read(members: dict[str, object], expected: TokenAnswer) -> None:
    assert read(answer(200, **TOKEN | members)) == expected


def test_a_form_is_read_where_json_was_asked_for() -> None:
    body = "access_token=a-token&scope=repo%2Cgist&token_type=bearer"
    form = httpx2.Response(200, text=body, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert read(form) == TokenAnswer("a-token", scope="repo gist")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (answer(400, error="invalid_grant", error_description="Token is expired"), "invalid_grant"),
        (answer(200, error="bad_refresh_token"), "invalid_grant"),
        (answer(200, ok=False, error="invalid_refresh_token"), "invalid_grant"),
        (answer(401, error="invalid_client"), "invalid_client"),
        (answer(200, error="incorrect_client_credentials"), "invalid_client"),
        (answer(400, error={"code": "invalid_grant", "message": "no"}), "invalid_grant"),
        (answer(400, error="something_new"), "something_new"),
    ],
    ids=["grant", "github", "slack", "client", "github-client", "nested", "unknown"],
)
def test_a_refusal_is_known_whatever_it_is_called(response: httpx2.Response, error: str) -> None:
    with pytest.raises(TokenRefused) as refused:
        read(response)
    assert refused.value.error == error


@pytest.mark.parametrize(
    ("response", "retry_after"),
    [
        (httpx2.Response(500, json={"error": "invalid_grant"}), None),
        (httpx2.Response(503, text="<h1>Down</h1>", headers={"Retry-After": "120"}), 120.0),
        (httpx2.Response(429, json={"error": "invalid_grant"}, headers={"Retry-After": "7"}), 7.0),
        (httpx2.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0.0),
        (httpx2.Response(503, headers={"Retry-After": "later"}), None),
        (httpx2.Response(403, text="<h1>Blocked</h1>", headers={"Content-Type": "text/html"}), None),
        (httpx2.Response(302, headers={"Location": "https://elsewhere.example"}), None),
        (httpx2.Response(200, text="<h1>Welcome</h1>"), None),
        (httpx2.Response(200, content=b"\xff\xfe{"), None),
        (httpx2.Response(200, json=["a-token"]), None),
        (httpx2.Response(200, json={"access_token": ""}), None),
        (httpx2.Response(200, json={"access_token": "two\nlines"}), None),
        (httpx2.Response(400, json={"error": "temporarily_unavailable"}), None),
    ],
    ids=[
        "500",
        "html",
        "429",
        "date",
        "no-date",
        "blocked",
        "redirect",
        "page",
        "bytes",
        "list",
        "empty",
        "lines",
        "busy",
    ],
)
def test_what_says_nothing_about_the_tokens_loses_none(response: httpx2.Response, retry_after: float | None) -> None:
    with pytest.raises(ProviderUnavailable) as unavailable:
        read(response)
    assert unavailable.value.retry_after == retry_after


@given(
    st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 500]),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["access_token", "refresh_token", "expires_in", "scope", "token_type", "error", "x"]),
                inner,
            )
        ),
    ),
)
def test_nothing_that_is_json_breaks_the_reading(status: int, document: object) -> None:
    try:
        given_tokens = read(httpx2.Response(status, content=json.dumps(document).encode()))
    except TokenError:
        return
    assert given_tokens.access_token.isascii()
    assert given_tokens.expires_in is None or given_tokens.expires_in > 0


def test_tokens_do_not_show_themselves() -> None:
    assert "a-token" not in repr(TokenAnswer("a-token", refresh_token="a-token"))
