"""A token endpoint as strict as the strictest provider, on loopback, with the levers to make it misbehave.

Refresh tokens rotate with each use. One that is shown again is taken within the grace, if there is one, and ends its
whole family after it, as RFC 9700 section 4.14.2 asks. What it gave out and took is remembered, so that a test can say
how often each token was redeemed and whether what the platform stored is still good.
"""

import base64
import json
import secrets
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote

from mcp_gateway.remote.oauth.provider import Provider

SECONDS = 60


@dataclass
class Family:
    """What came of one sign-in: the refresh token that is good, and when each of those before was spent."""

    current: str
    spent_at: dict[str, float] = field(default_factory=dict)
    alive: bool = True


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})


class IdentityProvider:
    """Its levers are plain attributes; they hold from the next request on."""

    def __init__(self, url: str = "") -> None:
        self.url = url
        self.client_id, self.client_secret = "a-client", "a-secret"
        self.lifetime: int | None = 3600
        # Seconds in which a spent refresh token is taken again. None: it does not rotate.
        self.grace: float | None = 0.0
        # What the answers have besides, or instead.
        self.members: dict[str, Any] = {}
        # Answers given to the next requests in place of any redemption.
        self.instead: deque[Answer] = deque()
        # One for each redemption, of the token that was shown; refusals are in `refused`.
        self.redeemed: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.requests = 0
        self._families: dict[str, Family] = {}
        self._changing = threading.Condition()
        self._holding = False
        self._held = 0

    def provider(self) -> Provider:
        """As a connection remembers it."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "revocation_endpoint": f"{self.url}/revoke",
            "resource": "https://mcp.example.com/mcp",
            "client": {
                "client_id": self.client_id,
                "client_secret": self.client_secret,
                "auth_method": "client_secret_basic",
            },
        }

    def signed_in(self) -> str:
        """The refresh token of somebody who has just let us in."""
        token = secrets.token_urlsafe(16)
        with self._changing:
            self._families[token] = Family(token)
        return token

    def redeem(self, token: str) -> None:
        """As if somebody had shown the token, and the answer had reached nobody."""
        with self._changing:
            self._rotate(token)

    def revoke(self, token: str) -> None:
        """The person takes back what they allowed."""
        with self._changing:
            self._families[token].alive = False

    def takes(self, token: str) -> bool:
        """Whether the token would be redeemed, were it shown now."""
        with self._changing:
            return self._is_good(token)

    def latest(self, token: str) -> str:
        """The refresh token that came last of the same sign-in."""
        with self._changing:
            return self._families[token].current

    def fail(self, status: int, body: str | dict[str, Any] = "", times: int = 1, **headers: str) -> None:
        """Give this answer to the next requests, a page unless the body is a mapping."""
        kind = "application/json" if isinstance(body, dict) else "text/html; charset=utf-8"
        content = json.dumps(body) if isinstance(body, dict) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.instead.extend([Answer(status, content.encode(), {"Content-Type": kind, **named})] * times)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Redeem what is shown within the block, and keep the answers back until its end."""
        with self._changing:
            self._holding = True
        try:
            yield
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Give out the answers that are kept back, and keep back no more."""
        with self._changing:
            self._holding = False
            self._changing.notify_all()

    def wait_until_held(self, count: int) -> None:
        """Until so many answers are being kept back."""
        with self._changing:
            assert self._changing.wait_for(lambda: self._held >= count, SECONDS), f"{self._held} answers are held"

    def wait_until_asked(self, times: int) -> None:
        """Until so many requests have come in all."""
        with self._changing:
            assert self._changing.wait_for(lambda: self.requests >= times, SECONDS), f"{self.requests} requests came"

    # What a request meets ------------------------------------------------------------------------------------------

    def answer(self, path: str, form: dict[str, str], authorization: str) -> Answer:
        if path == "/revoke":
            return self._revoke(form.get("token", ""))
        with self._changing:
            self.requests += 1
            self._changing.notify_all()
            if self.instead:
                return self.instead.popleft()
            given = self._token(form, authorization)
            self._held += 1
            self._changing.notify_all()
            self._changing.wait_for(lambda: not self._holding, SECONDS)
            self._held -= 1
            return given

    def _revoke(self, token: str) -> Answer:
        with self._changing:
            if token in self._families:
                self._families[token].alive = False
        return Answer(200, b"")

    def _token(self, form: dict[str, str], authorization: str) -> Answer:
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode().split(":", 1)
        if [unquote(each) for each in pair] != [self.client_id, self.client_secret]:
            return _refusal(401, "invalid_client")
        shown = form.get("refresh_token", "")
        if form.get("grant_type") != "refresh_token" or not form.get("resource"):
            return _refusal(400, "invalid_request")
        if not self._is_good(shown):
            self.refused[shown] += 1
            if shown in self._families:
                self._families[shown].alive = False
            return _refusal(400, "invalid_grant")
        self.redeemed[shown] += 1
        answer: dict[str, Any] = {"access_token": secrets.token_urlsafe(16), "token_type": "bearer"}
        if self.lifetime is not None:
            answer["expires_in"] = self.lifetime
        if self.grace is not None:
            answer["refresh_token"] = self._rotate(shown)
        return Answer(200, json.dumps(answer | self.members).encode())

    def _is_good(self, token: str) -> bool:
        family = self._families.get(token)
        if family is None or not family.alive:
            return False
        spent_at = family.spent_at.get(token)
        return spent_at is None or (bool(self.grace) and time.monotonic() - spent_at <= (self.grace or 0))

    def _rotate(self, shown: str) -> str:
        family = self._families[shown]
        family.spent_at.setdefault(shown, time.monotonic())
        family.current = secrets.token_urlsafe(16)
        self._families[family.current] = family
        return family.current


def _refusal(status: int, error: str) -> Answer:
    return Answer(status, json.dumps({"error": error}).encode())


@contextmanager
def served_identity_provider() -> Iterator[IdentityProvider]:
    """A provider on a free port, until the block ends."""
    provider = IdentityProvider()

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode(), keep_blank_values=True)
            answer = provider.answer(
                self.path, {name: values[0] for name, values in form.items()}, self.headers.get("Authorization", "")
            )
            # Whoever asked may have been killed meanwhile.
            try:
                self.send_response(answer.status)
                for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer.body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: Any) -> None:
            """A client that was killed is no news."""

    with Server(("127.0.0.1", 0), Door) as server:
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield provider
        finally:
            server.shutdown()
            serving.join()
