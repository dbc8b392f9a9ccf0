"""A receiver of webhooks on loopback: it keeps what it was sent, and answers as it is told to."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

SECONDS = 30


@dataclass(frozen=True)
class Reply:
    """With `held` it answers only once the receiver is let go; with `cut` not at all."""

    status: int = 200
    body: bytes = b"taken"
    headers: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    cut: bool = False


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """The event, if its signature is of this secret, as the library of the scheme's makers finds."""
        return Webhook(secret).verify(self.body, dict(self.headers))


class Receiver:
    """`replies` are given one after the other, and `usual` once they are used up."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/hooks"
        self.seen: list[Request] = []
        self.replies: list[Reply] = []
        self.usual = Reply()
        self.go_on = threading.Event()
        self._arrived = threading.Condition()

    def take(self, request: Request) -> Reply:
        with self._arrived:
            self.seen.append(request)
            reply = self.replies.pop(0) if self.replies else self.usual
            self._arrived.notify_all()
        return reply

    def wait_for(self, count: int) -> None:
        """Until so many requests have arrived."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.seen) >= count, SECONDS), "it did not arrive"


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.receiver.take(Request(self.path, headers, body))
        if reply.held:
            self.receiver.go_on.wait(SECONDS)
        if reply.cut:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing; tests look at `seen`."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed leaves in the middle."""


@contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    server = _Server(("127.0.0.1", 0), _Handler)
    receiver = Receiver(server.server_address[1])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"receiver": receiver})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.go_on.set()
        server.shutdown()
        thread.join(SECONDS)
        server.server_close()
