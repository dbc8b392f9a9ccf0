"""An MCP server with sign-in, on loopback: the SDK's own server and authorization classes, a consent page, and levers.

Server and provider are one origin, as they are at most vendors. What a test wants to be otherwise it alters in the
documents that are served (`altered`), answers in the provider's place (`answers`), or does to the tokens given out.
"""

import contextlib
import html
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
import uvicorn
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull
from pydantic import AnyHttpUrl
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tests.fakes.oauth_provider import ADMINISTER, USE, Behaviour, Provider

METADATA = "/.well-known/oauth-authorization-server"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource/mcp"

CONSENT = """<!doctype html><html lang="en"><title>Let {client} in?</title>
<link rel="icon" href="data:,">
<h1>Let {client} in?</h1><p>It asks for: {scope}</p>
<form method="post"><input type="hidden" name="request" value="{request}">
<label>Account <input name="account" value="ada"></label>
<button name="answer" value="yes">Approve</button> <button name="answer" value="no">Deny</button></form></html>"""


@dataclass(frozen=True)
class Seen:
    """A request as it came in, with its form or JSON read."""

    method: str
    path: str
    headers: dict[str, str]
    sent: dict[str, Any]


@dataclass
class OAuthMcpServer:
    """A running server. `url` is its MCP endpoint; `issuer` its origin, under which the provider is."""

    issuer: str
    behaviour: Behaviour
    provider: Provider
    # By path: what to make of the JSON that is served there; None makes it 404.
    altered: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = field(default_factory=dict)
    # By path: answers given in place of the provider's own, each once, the last one for ever.
    answers: dict[str, list[Response]] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.issuer}/mcp"

    def know_client(self, client_id: str, client_secret: str, redirect_uri: str, *, method: str) -> None:
        """A client made by hand at the provider."""
        self.provider.clients[client_id] = OAuthClientInformationFull.model_validate(
            {
                "client_id": client_id,
                "client_secret": client_secret,
                "redirect_uris": [redirect_uri],
                "token_endpoint_auth_method": method,
                "scope": f"{USE} {ADMINISTER}",
            }
        )

    def reset(self) -> None:
        """As it was when it started, for the next test."""
        for kept in (self.altered, self.answers, self.seen):
            kept.clear()
        vars(self.behaviour).update(vars(Behaviour()))
        self.provider.forget()

    def expire_access_tokens(self) -> None:
        """All that are out are refused from now on; refresh tokens stay good."""
        self.provider.access.clear()

    def revoke(self, account: str | None = None) -> None:
        """End what an account let in, refresh tokens as well; everybody's without one."""
        self.provider.revoke(account)

    def asked(self, path: str) -> list[Seen]:
        return [request for request in self.seen if request.path == path]

    def consent(self, authorization_url: str, account: str = "ada", answer: str = "yes") -> dict[str, str]:
        """Do what the person does in the browser: the query with which they come back."""
        with httpx2.Client(trust_env=False) as browser:
            asked = browser.get(authorization_url)
            assert asked.status_code == 302, asked.text
            where = asked.headers["Location"]
            if where.startswith(f"{self.issuer}/consent"):
                form = {**dict(parse_qsl(urlsplit(where).query)), "account": account, "answer": answer}
                where = browser.post(f"{self.issuer}/consent", data=form).headers["Location"]
        return dict(parse_qsl(urlsplit(where).query))


def _mcp(provider: Provider, issuer: str) -> MCPServer:
    mcp = MCPServer(
        "Fake with sign-in",
        log_level="WARNING",
        auth_server_provider=provider,
        auth=AuthSettings(
            issuer_url=issuer,
            resource_server_url=AnyHttpUrl(f"{issuer}/mcp"),
            required_scopes=[USE],
            client_registration_options=ClientRegistrationOptions(enabled=True, valid_scopes=[USE, ADMINISTER]),
            revocation_options=RevocationOptions(enabled=True),
            validate_token_resource=True,
        ),
    )

    @mcp.tool(title="Who am I?")
    def whoami() -> str:
        """The account that is signed in, and what it let this client do."""
        token = get_access_token()
        assert token is not None
        return f"{token.subject} with {' '.join(token.scopes)}"

    @mcp.tool()
    def add(a: int, b: int) -> int:
        """The sum of two numbers."""
        return a + b

    @mcp.tool()
    def wipe() -> str:
        """Needs a scope wider than signing in asks for."""
        return "wiped"

    async def show(request: Request) -> Response:
        asked = request.query_params["request"]
        client, params = provider.asked[asked]
        scope = " ".join(params.scopes or [USE])
        page = CONSENT.format(client=html.escape(client.client_name or client.client_id), scope=scope, request=asked)
        return HTMLResponse(page)

    async def answer(request: Request) -> Response:
        form = await request.form()
        asked = str(form["request"])
        where = provider.consent(asked, str(form["account"])) if form["answer"] == "yes" else provider.deny(asked)
        return RedirectResponse(where, status_code=302)

    mcp.custom_route("/consent", methods=["GET"])(show)
    mcp.custom_route("/consent", methods=["POST"])(answer)
    return mcp


class _Levers:
    """Between the socket and the server: notes what is asked, and answers or alters as the test wants."""

    def __init__(self, app: Any, served: OAuthMcpServer) -> None:
        self.app, self.served = app, served

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        answering = await self._answering(scope, receive) if scope["type"] == "http" else self.app
        await answering(scope, receive, send)

    async def _answering(self, scope: Any, receive: Any) -> Any:
        """The application that answers this request."""
        body = await _body(receive) if scope["method"] == "POST" else b""
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        seen = Seen(scope["method"], scope["path"], headers, _read(headers, body))
        self.served.seen.append(seen)
        if prepared := self.served.answers.get(seen.path):
            return prepared.pop(0) if len(prepared) > 1 else prepared[0]
        if self._needs_more(seen):
            return self._step_up()
        return partial(self._go_on, seen.path, body)

    async def _go_on(self, path: str, body: bytes, scope: Any, receive: Any, send: Any) -> None:
        going = self._alter if path in self.served.altered else self.app
        await going(scope, _Replay(body, receive), send)

    def _needs_more(self, seen: Seen) -> bool:
        if seen.path != "/mcp" or seen.sent.get("params", {}).get("name") != "wipe":
            return False
        token = self.served.provider.access.get(seen.headers.get("authorization", "").removeprefix("Bearer "))
        return token is not None and ADMINISTER not in token.scopes

    def _step_up(self) -> Response:
        where = f"{self.served.issuer}{RESOURCE_METADATA}"
        challenge = f'Bearer error="insufficient_scope", scope="{USE} {ADMINISTER}", resource_metadata="{where}"'
        return Response(status_code=403, headers={"WWW-Authenticate": challenge})

    async def _alter(self, scope: Any, receive: Any, send: Any) -> None:
        sent: list[Any] = []

        async def keep(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(message.get("body", b"") for message in sent)
        document = json.loads(body)
        if sent[0]["status"] < 300:
            document = self.served.altered[scope["path"]](document)
        answer = JSONResponse(document, sent[0]["status"]) if document is not None else Response(status_code=404)
        await answer(scope, receive, send)


class _Replay:
    def __init__(self, body: bytes, receive: Any) -> None:
        self.body: bytes | None = body
        self.receive = receive

    async def __call__(self) -> Any:
        if self.body is None:
            return await self.receive()
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _body(receive: Any) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _read(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    kind = headers.get("content-type", "")
    if "json" in kind:
        document = json.loads(body)
        return document if isinstance(document, dict) else {}
    return dict(parse_qsl(body.decode())) if "form-urlencoded" in kind else {}


@contextlib.contextmanager
def served_oauth_mcp(**behaviour: Any) -> Iterator[OAuthMcpServer]:
    """A server on a free port, with the behaviour named, until left."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        issuer = f"http://127.0.0.1:{door.getsockname()[1]}"
        behaving = Behaviour(**behaviour)
        provider = Provider(behaving, issuer)
        served = OAuthMcpServer(issuer, behaving, provider)
        app = _Levers(_mcp(provider, issuer).streamable_http_app(stateless_http=True), served)
        server = uvicorn.Server(
            uvicorn.Config(app, log_config=None, lifespan="on", access_log=False, timeout_graceful_shutdown=2)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="fake with sign-in")
        thread.start()
        try:
            # The socket is open, so the first request waits until it is served.
            httpx2.get(issuer + METADATA, timeout=20, trust_env=False).raise_for_status()
            served.seen.clear()
            yield served
        finally:
            server.should_exit = True
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def oauth_mcp() -> Iterator[OAuthMcpServer]:
    with served_oauth_mcp() as served:
        yield served
