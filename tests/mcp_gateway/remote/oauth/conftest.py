"""A person, a server that wants a sign-in, and what their browser does in between."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway import offload
from mcp_gateway.models import AuthType, ClientMode, RemoteConnection, RemoteServer
from mcp_gateway.remote.oauth.client_document import callback_url
from mcp_gateway.remote.services import connections
from tests.factories import RemoteServerFactory
from tests.fakes.oauth_mcp_server import OAuthMcpServer, served_oauth_mcp

CLIENT_ID, CLIENT_SECRET = "asterism-by-hand", "entered by an admin: %+/"


@pytest.fixture(autouse=True)
def one_thread(settings: Settings) -> None:
    settings.QUICK_THREADS = 0
    settings.OUTBOUND_ALLOW_LOCAL = True


@pytest.fixture(scope="module")
def served() -> Iterator[OAuthMcpServer]:
    with served_oauth_mcp() as server:
        yield server


@pytest.fixture
def oauth_mcp(served: OAuthMcpServer) -> OAuthMcpServer:
    served.reset()
    return served


@pytest.fixture
def threads(one_thread: None, settings: Settings) -> Iterator[None]:
    """The domain in threads of its own, as it runs for people."""
    settings.QUICK_THREADS = 2
    yield
    offload.close()


@dataclass
class Browser:
    """One person's browser: what a sign-in looks like from there."""

    caller: Caller
    secret: str = "of this browser's session"
    urls: list[str] = field(default_factory=list)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.secret.encode()).digest()

    def start(self, server: RemoteServer, **options: Any) -> str:
        url = async_to_sync(connections.start)(self.caller, server.pk, session_digest=self.digest, **options)
        self.urls.append(url)
        return url

    def finish(self, query: dict[str, str]) -> RemoteConnection:
        return async_to_sync(connections.finish)(self.caller, query, session_digest=self.digest).connection

    def connect(
        self, server: RemoteServer, fake: OAuthMcpServer, account: str = "ada", **options: Any
    ) -> RemoteConnection:
        return self.finish(fake.consent(self.start(server, **options), account))


@pytest.fixture
def browser(member: Caller) -> Browser:
    return Browser(member)


Making = Callable[..., RemoteServer]


@pytest.fixture
def make_server(organization: Organization, oauth_mcp: OAuthMcpServer) -> Making:
    """A row for the fake, in the mode asked for, the fake knowing the client where one is made by hand."""

    def make(
        mode: ClientMode = ClientMode.KNOWN_CREDENTIALS, *, method: str = "client_secret_basic", **fields: Any
    ) -> RemoteServer:
        if mode == ClientMode.KNOWN_CREDENTIALS:
            oauth_mcp.know_client(CLIENT_ID, CLIENT_SECRET, callback_url(), method=method)
            fields = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET} | fields
        else:
            fields = {"client_id": ""} | fields
        fields = {"url": oauth_mcp.url, "auth_type": AuthType.OAUTH, "client_mode": mode} | fields
        return RemoteServerFactory(organization=organization, **fields)

    return make


@pytest.fixture
def server(make_server: Making) -> RemoteServer:
    return make_server()
