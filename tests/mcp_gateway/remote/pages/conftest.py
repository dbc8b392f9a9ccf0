"""People before the pages of their organization's servers, and a server of somebody else's to reach."""

from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.caller import Caller
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.pages import signed_in


@pytest.fixture(autouse=True)
def here(settings: Settings) -> None:
    """One thread and transaction, and loopback may be asked."""
    settings.QUICK_THREADS = 0
    settings.OUTBOUND_ALLOW_LOCAL = True


@pytest.fixture
def as_admin(admin: Caller) -> Client:
    return signed_in(admin)


@pytest.fixture
def as_member(member: Caller) -> Client:
    return signed_in(member)


@pytest.fixture
def as_stranger(stranger: Caller) -> Client:
    return signed_in(stranger)


@pytest.fixture(scope="module")
def fake() -> Iterator[McpServer]:
    with mcp_server() as served:
        yield served


@pytest.fixture
def elsewhere(fake: McpServer) -> McpServer:
    fake.forget()
    return fake
