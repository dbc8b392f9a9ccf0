"""A small internet on loopback: 127.0.0.2 stands for a public address, 127.0.0.1 for what must never be reached."""

import asyncio
import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from security import outbound
from security.outbound import Bounds, Policy

PUBLIC, INSIDE = "127.0.0.2", "127.0.0.1"
EVERYWHERE = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"
OPENED = (ipaddress.ip_network(f"{PUBLIC}/32"),)
# http:// is taken and every public rule but the address's own is out of the way, so that a refusal is the address's.
POLICY = Policy(opened=OPENED, plain_http=True)

Script = Callable[[socket.socket, bytes, "Server"], None]
Mode = Literal["sync", "async"]


class Names:
    """A resolver that gives each name's answers in turn, the last for ever, and numbers as the C library reads them."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("__", "."): list(turns) for name, turns in answers.items()}
        self.asked: list[str] = []

    def add(self, name: str, *turns: Sequence[str]) -> None:
        self._answers[name] = list(turns)

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        turns = self._answers.get(host.lower().rstrip("."))
        if turns is None:  # 127.1, 0x7f.1, 2130706433: no name service is asked
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            return [str(sockaddr[0]) for *_, sockaddr in found]
        return list(turns.pop(0) if len(turns) > 1 else turns[0])


class Server:
    """A server whose every connection runs a script, and which remembers what was sent to it."""

    def __init__(self, script: Script, *, host: str = PUBLIC, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        six = ":" in host
        family = socket.AF_INET6 if six else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, dualstack_ipv6=six)
        self.host, self.port = host, int(self._listener.getsockname()[1])
        self.connections = 0
        self.requests: list[bytes] = []
        self.closing = threading.Event()
        self._script, self._tls = script, tls
        self._threads: list[threading.Thread] = []
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._tls:
                connection = stack.enter_context(self._tls.wrap_socket(connection, server_side=True))
            while head := _request(connection):
                self.requests.append(head)
                self._script(connection, head, self)

    def close(self) -> None:
        self.closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in [self._serving, *self._threads]:
            thread.join(timeout=10)


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return b""
        received += more
    return received


@contextlib.contextmanager
def serving(script: Script, **options: Any) -> Iterator[Server]:
    server = Server(script, **options)
    try:
        yield server
    finally:
        server.close()


def answering(body: bytes = b"hello", *, status: str = "200 OK", **headers: str) -> Script:
    """A script that gives one answer."""

    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return script


def redirecting(location: Callable[[bytes], str], status: str = "302 Found") -> Script:
    def script(connection: socket.socket, head: bytes, server: Server) -> None:
        connection.sendall(f"HTTP/1.1 {status}\r\nLocation: {location(head)}\r\nContent-Length: 0\r\n\r\n".encode())

    return script


def header(request: bytes, name: str) -> str | None:
    """A header of a request as it came over the wire."""
    for line in request.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
        key, _, value = line.decode("latin-1").partition(":")
        if key.lower() == name.lower():
            return value.strip()
    return None


def ask(
    mode: Mode,
    url: str,
    *,
    method: str = "GET",
    policy: Policy = POLICY,
    names: Callable[[str, int], Sequence[str]],
    bounds: Bounds | None = None,
    redirects: int = 0,
    tls: ssl.SSLContext | None = None,
    **options: Any,
) -> httpx2.Response:
    """One request through a client of our own, which is closed after it."""
    made: dict[str, Any] = {"policy": policy, "resolver": names, "redirects": redirects, "ssl_context": tls}
    bounds = bounds or Bounds()
    if mode == "sync":
        with outbound.client(bounds, **made) as client:
            return client.request(method, url, **options)

    async def asked() -> httpx2.Response:
        async with outbound.async_client(bounds, **made) as client:
            return await client.request(method, url, **options)

    return asyncio.run(asked())


class Authority:
    """A certificate authority that nobody else knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of the tests")])
        self._certificate = self._issue(self._name, self._key, ca=True)

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.pem)

    @property
    def pem(self) -> str:
        """Its certificate, as those keep it who trust it."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    def server_context(self, name: str, seen: list[str | None]) -> ssl.SSLContext:
        """A server with a certificate for `name`, which notes the names it was asked for (SNI)."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._issue(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, dns=name)
        path = self._folder / f"{name}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)

        def note(_socket: ssl.SSLObject, asked: str | None, _context: ssl.SSLContext) -> None:
            seen.append(asked)

        context.sni_callback = note
        return context

    def _issue(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, dns: str = "", ca: bool = False
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if ca:
            builder = builder.add_extension(
                x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True
            )
        if dns:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())
