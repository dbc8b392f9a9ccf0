"""What tests of the toolbox share: a server of the organization's, as if nobody had asked it anything."""

from collections.abc import Iterator

import pytest

from accounts.models import Organization
from mcp_gateway.models import RemoteServer
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.mcp_gateway.remote.elsewhere import row


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server(list_ttl_ms=60_000) as server:
        yield server


@pytest.fixture
def server(served: McpServer) -> McpServer:
    served.forget()
    return served


@pytest.fixture
def printer(organization: Organization, server: McpServer) -> RemoteServer:
    """A server of the organization's, as it is today."""
    return row(organization, server, slug="printer")
