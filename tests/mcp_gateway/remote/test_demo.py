"""The demo's remote server: this platform's own, which answers without the internet."""

import pytest
from pytest_django import Settings

from accounts.models import Role
from mcp_gateway import demo
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote.services.configuration import stored_headers
from tests.factories import MembershipFactory

pytestmark = pytest.mark.django_db


def test_it_is_made_once_and_opened_by_the_persons_key(settings: Settings) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    owner = MembershipFactory(role=Role.ADMIN).user
    made = demo.fill(owner, "wiz_demo")
    assert made is not None
    assert (made.url, stored_headers(made)) == (
        "http://127.0.0.1:8000/api/mcp-server",
        {"Authorization": "Bearer wiz_demo"},
    )
    assert demo.fill(owner, "wiz_demo") is None
    assert RemoteServer.objects.count() == 1
