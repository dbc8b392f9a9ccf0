"""Bodies longer than their route takes: refused over a real socket, before Django has read them."""

import socket
from collections.abc import Iterator
from functools import partial

import pytest
from django.core.asgi import get_asgi_application
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import path, reverse

from agents_hub.files import content
from config.body_limit import BodyLimit
from config.edge import Edge
from mcp_gateway.asgi import mount
from mcp_gateway.rest.routes import api
from security import body_size
from tests.factories import UserFactory, make_key
from tests.serving import serve

SMALL = 2_621_440
LARGE = 3_000_000
# A part of a body that takes a fortieth of SMALL.
PART_BYTES = 65_536
PAGE, ROUTE = "/dashboard/agents/{}/", "/agents/v2/agents/{}/shared-files"


def count(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.read())))


def is_known(request: HttpRequest) -> bool:
    return "X-Known" in request.headers


class Urls:
    """One route that takes as much as any, and one that takes more."""

    urlpatterns = [path("plain", count), path("upload", body_size.takes(LARGE, of=is_known)(partial(count)))]


@pytest.fixture
def port() -> Iterator[int]:
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[]):
        application = Edge(mount(BodyLimit(get_asgi_application()), {}), proxies=[])
        with serve(application) as served:
            yield served.port


def begin(port: int, url: str, *lines: str) -> socket.socket:
    """A connection on which a POST has begun: its head is sent and nothing of its body."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    head = [f"POST {url} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Content-Type: text/plain", "X-Known: 1", *lines]
    connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n")
    return connection


def until_closed(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def chunked(length: int) -> Iterator[bytes]:
    """A body of that length in chunks, without the last one: it never ends."""
    while length:
        part = min(length, PART_BYTES)
        yield b"%x\r\n" % part + b" " * part + b"\r\n"
        length -= part


def sent(connection: socket.socket, length: int) -> None:
    """Send as much of an endless body as the server takes before it hangs up."""
    for part in chunked(length):
        connection.sendall(part)


@pytest.mark.parametrize(("url", "most"), [("/plain", SMALL), ("/upload", LARGE), ("/nowhere", SMALL)])
def test_a_body_declared_too_long_is_refused_before_any_of_it_is_sent(port: int, url: str, most: int) -> None:
    with begin(port, url, f"Content-Length: {most + 1}") as connection:
        answer = until_closed(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413")
    assert {b"connection: close", b"content-type: application/json"} <= set(head.lower().split(b"\r\n"))
    assert b"x-request-id: " in head
    assert b"content-security-policy: " in head
    assert f"longer than {most:,} bytes".encode() in body


@pytest.mark.parametrize(("url", "most"), [("/plain", SMALL), ("/upload", LARGE)])
def test_a_chunked_body_is_refused_where_it_passes_the_limit_and_never_read_to_its_end(
    port: int, url: str, most: int
) -> None:
    with begin(port, url, "Transfer-Encoding: chunked") as connection:
        sent(connection, most + 1)
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(("url", "most"), [("/plain", SMALL), ("/upload", LARGE)])
@pytest.mark.parametrize("is_chunked", [False, True], ids=["declared", "chunked"])
def test_a_body_of_just_that_length_is_read(port: int, url: str, most: int, is_chunked: bool) -> None:
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {most}"
    with begin(port, url, length, "Connection: close") as connection:
        if is_chunked:
            sent(connection, most)
            connection.sendall(b"0\r\n\r\n")
        else:
            connection.sendall(b" " * most)
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(str(most).encode()) or f"{most}\r\n0\r\n\r\n".encode() in answer


def test_a_stranger_has_no_more_than_elsewhere(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        head = f"POST /upload HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        sent(connection, SMALL + 1)
        answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert f"longer than {SMALL:,} bytes".encode() in answer


@pytest.mark.django_db
def test_those_are_known_who_show_a_good_session_or_key(client: Client, rf: RequestFactory) -> None:
    whole, person = content.LONGEST_REQUEST_BYTES, UserFactory()
    page, route = (url.format("00000000-0000-7000-8000-000000000000") for url in (PAGE, ROUTE))
    client.force_login(person)
    _, key = make_key(person)
    rf.cookies = client.cookies
    assert body_size.most(rf.post(page)) == whole
    assert body_size.most(rf.post(route)) == SMALL
    rf.cookies.clear()
    assert body_size.most(rf.post(page)) == SMALL
    assert body_size.most(rf.post(route, headers={"Authorization": f"Bearer {key}"})) == whole
    mistyped = key[:-1] + ("x" if key[-1] != "x" else "y")
    assert body_size.most(rf.post(route, headers={"Authorization": f"Bearer {mistyped}"})) == SMALL
    assert body_size.most(rf.post(page, headers={"Authorization": f"Bearer {key}"})) == SMALL
    rf.cookies["sessionid"] = "made-up"
    assert body_size.most(rf.post(page)) == SMALL


def test_a_body_is_not_asked_for_that_is_going_to_be_refused(port: int) -> None:
    """A client that waits for `100 Continue` before it sends is told at once."""
    with begin(port, "/plain", f"Content-Length: {SMALL + 1}", "Expect: 100-continue") as connection:
        assert until_closed(connection).startswith(b"HTTP/1.1 413")
    with begin(port, "/plain", f"Content-Length: {SMALL}", "Expect: 100-continue") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100")


def test_whoever_cannot_be_looked_up_counts_as_a_stranger(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(request: HttpRequest) -> int:
        raise OperationalError("the database does not answer")

    monkeypatch.setattr(body_size, "most", away)
    with begin(port, "/upload", f"Content-Length: {SMALL + 1}") as connection:
        assert until_closed(connection).startswith(b"HTTP/1.1 413")


def test_a_browser_is_shown_a_page(port: int) -> None:
    with begin(port, "/plain", f"Content-Length: {SMALL + 1}", "Accept: text/html,*/*") as connection:
        answer = until_closed(connection).decode()
    assert "content-type: text/html" in answer.lower()
    assert "<h1>That is too much at once</h1>" in answer
    assert "<main" in answer


def test_the_routes_that_take_files_take_what_the_guide_promises_and_no_other_takes_more() -> None:
    agent = "00000000-0000-7000-8000-000000000000"
    both = {"agent_id": agent, "file_id": agent}
    whole, one = content.LONGEST_REQUEST_BYTES, content.LONGEST_REPLACEMENT_BYTES
    assert (whole, one) == (1001 * content.MIB, 51 * content.MIB)
    uploads = {route.path: route.most_bytes for route in api if route.upload}
    assert uploads == {
        "temp-files/{organizationId}": whole,
        "agents/{agentId}/shared-files": whole,
        "agents/{agentId}/shared-files/{fileId}": one,
        "executions/{executionId}/context-files": whole,
    }

    def most(url: str) -> int:
        allowed = body_size.allowance(url)
        return allowed.most_bytes if allowed else SMALL

    assert {url: most(f"/agents/v2/{url}") for url in uploads} == uploads
    assert most(reverse("agents:agent", kwargs={"agent_id": agent})) == whole
    assert most(reverse("agents:replace", kwargs=both)) == one
    for name in ("delete-file", "freeze", "download"):
        assert most(reverse(f"agents:{name}", kwargs=both)) == SMALL
    assert most(reverse("accounts:sign-in")) == most("/admin/login/") == most("/oauth/token") == SMALL
