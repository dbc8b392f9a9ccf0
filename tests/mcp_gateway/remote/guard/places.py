"""Every place where an address of somebody else's comes to be asked, and a public site that says whatever is wanted.

The site has a name, a certificate and an address that the guard lets through; what it names is the attack.
"""

import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from asgiref.sync import async_to_sync
from oauth2_provider.cimd import CIMDError

from accounts.caller import Caller
from accounts.errors import Unavailable
from mcp_gateway.models import AuthType, ClientMode, RemoteConnection, RemoteServer, Transport
from mcp_gateway.oauth import client_documents
from mcp_gateway.remote import toolbox
from mcp_gateway.remote.oauth import metadata, revocation, tokens
from mcp_gateway.remote.oauth.errors import SignInFailed
from mcp_gateway.remote.oauth.provider import Provider
from mcp_gateway.remote.services import connections, testing
from tests.mcp_gateway.remote.elsewhere import run
from tests.security.outbound.loopback import Script, Server, answering, redirecting

NAME = "mcp.example.net"
MCP, REGISTER, TOKEN, REVOKE = "/mcp", "/register", "/token", "/revoke"
RESOURCE, AUTHORITY = f"{metadata.RESOURCE_PATH}/mcp", metadata.AUTHORITY_PATH
REQUEST = re.compile(rb"([A-Z]+) (\S+) HTTP/1\.1\r\n")
HTTP, SSE = Transport.STREAMABLE_HTTP, Transport.SSE


class Site:
    """A server and its provider in one, on 127.0.0.2; `answers` by path is what a test changes."""

    def __init__(self) -> None:
        self.server = Server(self._answer)
        self.port = self.server.port
        self.origin = f"http://{NAME}:{self.port}"
        self.url = self.origin + MCP
        self.reset()

    def reset(self) -> None:
        self.server.requests.clear()
        self.resource = {"resource": self.url, "authorization_servers": [self.origin]}
        self.described = {
            "issuer": self.origin,
            # Judged when they are read, by the settings.
            "authorization_endpoint": f"https://{NAME}/authorize",
            "token_endpoint": f"https://{NAME}/token",
            "registration_endpoint": self.origin + REGISTER,
            "revocation_endpoint": self.origin + REVOKE,
            "code_challenge_methods_supported": ["S256"],
        }
        self.answers: dict[str, Script] = {
            MCP: challenging(self.origin + RESOURCE),
            RESOURCE: saying(self.resource),
            AUTHORITY: saying(self.described),
            REGISTER: saying({"client_id": "registered"}, status="201 Created"),
            TOKEN: saying({"access_token": "access", "refresh_token": "refresh"}),
            REVOKE: saying({}),
        }

    def asked(self, path: str) -> int:
        requests = [REQUEST.search(head) for head in self.server.requests]
        return sum(found is not None and found[2].decode() == path for found in requests)

    def provider(self, *, token_endpoint: str = "", revocation_endpoint: str = "") -> Provider:
        """As a connection remembers it."""
        known: Provider = {
            "issuer": self.origin,
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": token_endpoint or self.origin + TOKEN,
            "revocation_endpoint": revocation_endpoint or self.origin + REVOKE,
            "resource": self.url,
            "client": {"client_id": "known", "auth_method": "none"},
        }
        return known

    def close(self) -> None:
        self.server.close()

    def _answer(self, connection: socket.socket, head: bytes, server: Server) -> None:
        # The body of the request before may stand in front.
        found = REQUEST.search(head)
        script = self.answers.get(found[2].decode() if found else "", answering(status="404 Not Found"))
        script(connection, head, server)


def saying(document: object, status: str = "200 OK") -> Script:
    body = json.dumps(document).encode()
    return answering(body, status=status, Content_Type="application/json", Connection="close")


def challenging(where: str) -> Script:
    quoted = where.replace("\\", "\\\\")
    challenge = f'Bearer resource_metadata="{quoted}"'
    return answering(status="401 Unauthorized", WWW_Authenticate=challenge, Connection="close")


@dataclass(frozen=True)
class Stage:
    """The site, and a person with a row that leads there."""

    site: Site
    caller: Caller
    server: RemoteServer

    def lead(self, url: str, transport: Transport = HTTP, *, sign_in: bool = False) -> None:
        """Write a row as whoever gets at the database does."""
        kind = (
            {"auth_type": AuthType.OAUTH, "client_mode": ClientMode.DYNAMIC}
            if sign_in
            else {"auth_type": AuthType.NONE, "client_mode": ""}
        )
        RemoteServer.objects.filter(pk=self.server.pk).update(url=url, transport=transport, **kind)


@dataclass(frozen=True)
class Place:
    """`ask` brings the address there and gives the word of what came of it."""

    name: str
    ask: Callable[[Stage, str], str]
    # The words with which it is refused.
    refused: tuple[str, ...]
    # Whether the address is gone to where it is allowed.
    followed: bool = True


# Doors, with the word of what came of it ------------------------------------------------------------------------------


def play(stage: Stage) -> str:
    """The play button."""
    report = run(lambda: testing.test_server(stage.caller, server_id=stage.server.pk))
    return report.code or "ok"


def open_toolbox(stage: Stage) -> str:
    async def opened() -> str:
        async with toolbox.open(stage.caller, [stage.server.pk]) as box:
            return box.problems[0].code if box.problems else "ok"

    return run(opened)


def sign_in(stage: Stage) -> str:
    try:
        async_to_sync(connections.start)(stage.caller, stage.server.pk, session_digest=bytes(32))
    except (SignInFailed, Unavailable) as failure:
        return failure.code
    return "ok"


def redeem_code(provider: Provider) -> str:
    return _redeemed(
        lambda: async_to_sync(tokens.redeem_code)(provider, "code", verifier="v", redirect_uri="https://x")
    )


def redeem_refresh(provider: Provider) -> str:
    return _redeemed(lambda: async_to_sync(tokens.redeem_refresh)(provider, "refresh"))


def _redeemed(redeem: Callable[[], object]) -> str:
    try:
        redeem()
    except tokens.TokenError as failure:
        return type(failure).__name__
    return "ok"


def revoke(provider: Provider) -> str:
    connection = RemoteConnection(provider=json.dumps(provider), access_token="access", refresh_token="refresh")
    return "ok" if async_to_sync(revocation.revoke)(connection) else "not revoked"


def fetch(url: str) -> str:
    """A document of a client that signs people in at ours."""
    try:
        client_documents.Fetcher().fetch(url)
    except CIMDError:
        return "not fetched"
    return "ok"


# Places ---------------------------------------------------------------------------------------------------------------


def _row(door: Callable[[Stage], str], transport: Transport) -> Callable[[Stage, str], str]:
    def ask(stage: Stage, url: str) -> str:
        stage.lead(url, transport, sign_in=door is sign_in)
        return door(stage)

    return ask


def _site(
    path: str, script: Callable[[Stage, str], Script], door: Callable[[Stage], str], transport: Transport = HTTP
) -> Callable[[Stage, str], str]:
    """The site's answer at the path names the address."""

    def ask(stage: Stage, url: str) -> str:
        stage.lead(stage.site.url, transport, sign_in=door is sign_in)
        stage.site.answers[path] = script(stage, url)
        return door(stage)

    return ask


def _described(name: str) -> Callable[[Stage, str], Script]:
    return lambda stage, url: saying(stage.site.described | {name: url})


def _read(name: str) -> Callable[[Stage, str], str]:
    """An endpoint that is judged when it is read; nobody is asked then."""

    def ask(stage: Stage, url: str) -> str:
        try:
            metadata.read_authority(stage.site.described | {name: url}, stage.site.origin)
        except SignInFailed as failure:
            return failure.code
        return "ok"

    return ask


def _moved(status: str) -> Callable[[Stage, str], Script]:
    return lambda stage, url: redirecting(lambda head: url, status)


def _endpoint_event(stage: Stage, url: str) -> Script:
    event = f"event: endpoint\ndata: {url}\n\n".encode()
    return answering(event, Content_Type="text/event-stream", Connection="close")


ADDRESS, NO_ANSWER = "refused_address", "ProviderUnavailable"
FOUND, KEPT = "302 Found", "307 Temporary Redirect"

NAMED = [
    Place("row-tested", _row(play, HTTP), (ADDRESS,)),
    Place("row-tested-sse", _row(play, SSE), (ADDRESS,)),
    Place("row-in-toolbox", _row(open_toolbox, HTTP), (ADDRESS,)),
    Place("row-in-toolbox-sse", _row(open_toolbox, SSE), (ADDRESS,)),
    Place("row-signed-in-to", _row(sign_in, HTTP), (ADDRESS,)),
    Place("row-signed-in-to-sse", _row(sign_in, SSE), (ADDRESS,)),
    Place("sse-endpoint", _site(MCP, _endpoint_event, play, SSE), (ADDRESS,), followed=False),
    Place("resource-metadata", _site(MCP, lambda stage, url: challenging(url), sign_in), (ADDRESS,)),
    Place(
        "authorization-servers",
        _site(RESOURCE, lambda stage, url: saying(stage.site.resource | {"authorization_servers": [url]}), sign_in),
        (ADDRESS, "no_sign_in"),
    ),
    *[Place(name, _read(name), (ADDRESS,), followed=False) for name in ("authorization_endpoint", "token_endpoint")],
    Place("registration_endpoint", _site(AUTHORITY, _described("registration_endpoint"), sign_in), (ADDRESS,)),
    Place("code", lambda stage, url: redeem_code(stage.site.provider(token_endpoint=url)), (NO_ANSWER,)),
    Place("refresh", lambda stage, url: redeem_refresh(stage.site.provider(token_endpoint=url)), (NO_ANSWER,)),
    Place("revocation", lambda stage, url: revoke(stage.site.provider(revocation_endpoint=url)), ("not revoked",)),
    Place("client-document", lambda stage, url: fetch(url), ("not fetched",)),
]

MOVED = [
    *[
        Place(f"{status[:3]}-of-call", _site(MCP, _moved(status), play), ("not_mcp",), followed=False)
        for status in (FOUND, KEPT)
    ],
    Place("redirect-of-sse", _site(MCP, _moved(FOUND), play, SSE), ("not_mcp",), followed=False),
    Place("redirect-of-challenge", _site(MCP, _moved(FOUND), sign_in), (ADDRESS,)),
    Place("redirect-of-challenge-kept", _site(MCP, _moved(KEPT), sign_in), (ADDRESS,), followed=False),
    Place("redirect-of-challenge-sse", _site(MCP, _moved(FOUND), sign_in, SSE), (ADDRESS,)),
    Place("redirect-of-resource", _site(RESOURCE, _moved(FOUND), sign_in), (ADDRESS,)),
    Place("redirect-of-authority", _site(AUTHORITY, _moved(FOUND), sign_in), (ADDRESS,)),
    Place(
        "redirect-of-registration",
        _site(REGISTER, _moved(FOUND), sign_in),
        ("registration_refused",),
        followed=False,
    ),
    Place(
        "redirect-of-code",
        _site(TOKEN, _moved(FOUND), lambda stage: redeem_code(stage.site.provider())),
        (NO_ANSWER,),
        followed=False,
    ),
    Place(
        "redirect-of-refresh",
        _site(TOKEN, _moved(FOUND), lambda stage: redeem_refresh(stage.site.provider())),
        (NO_ANSWER,),
        followed=False,
    ),
    Place(
        "redirect-of-revocation",
        _site(REVOKE, _moved(FOUND), lambda stage: revoke(stage.site.provider())),
        ("not revoked",),
        followed=False,
    ),
]
