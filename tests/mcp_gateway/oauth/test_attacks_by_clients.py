"""What must not register: each test is one attack by a client that nobody knows yet."""

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from mcp_gateway.models import AccessToken, Application
from tests.mcp_gateway.oauth.flow import REDIRECT, Flow, register

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["authorization_code", "client_credentials"]}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": ["refresh_token"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata"),
        ({"client_name": "Nice\x1b[2J"}, "invalid_client_metadata"),
        ({"client_name": "N" * 101}, "invalid_client_metadata"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1.evil.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://user:pass@app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/cb#x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://*.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["data:text/html,x"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["myapp://callback"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/cb https://evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example:99999/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT] * 11}, "invalid_redirect_uri"),
    ],
)
def test_a_client_that_asks_for_too_much_is_not_registered(db: None, metadata: dict[str, Any], error: str) -> None:
    response = register(Client(), **metadata)
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert not Application.objects.exists()


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"nonsense", b"[" * 5000, b'"x"', b"\xff\xfe", b"{" + b" " * 20_000 + b"}"]
)
def test_what_is_no_registration_is_refused(body: bytes) -> None:
    response: Any = Client().post("/oauth/register", body, content_type="application/json")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_client_metadata")


def test_a_flood_of_registrations_is_stopped_for_its_address_alone(settings: Settings) -> None:
    settings.OAUTH_REGISTRATIONS_PER_HOUR = 3
    statuses = [register(Client()).status_code for _ in range(5)]
    assert statuses == [201, 201, 201, 429, 429]
    blocked = register(Client())
    assert int(blocked.headers["Retry-After"]) > 0
    elsewhere = Client(REMOTE_ADDR="192.0.2.7")
    assert register(elsewhere).status_code == 201


def test_a_registration_says_who_it_is_and_is_trusted_with_nothing(flow: Flow) -> None:
    """A client id is no token, and no token comes with it."""
    assert not AccessToken.objects.exists()
    assert Application.objects.get(client_id=flow.client_id).user is None
