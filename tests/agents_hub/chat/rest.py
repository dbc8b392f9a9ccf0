"""The platform on a real port, with the turns it carries out, and how a program asks it by REST."""

import contextlib
from collections.abc import Iterator
from typing import Any

import httpx
from django.core.asgi import get_asgi_application

from accounts.models import User
from accounts.scopes import Scope
from agents_hub.chat.runner import Runner
from agents_hub.models import Agent
from config.body_limit import BodyLimit
from config.edge import Edge
from dashboard.streams.layer import Streams
from dashboard.streams.notices import Notices
from mcp_gateway import offload
from mcp_gateway.asgi import mount
from mcp_gateway.hot import connection_parameters
from mcp_gateway.offload import in_domain
from tests.factories import make_key
from tests.serving import Served, serve
from tests.sse import Open

SECONDS = 30


@contextlib.contextmanager
def platform_port() -> Iterator[int]:
    with platform() as served:
        yield served.port


@contextlib.contextmanager
def platform(at_once: int = 10) -> Iterator[Served]:
    """The pages, their streams and so many turns of chats, served as the platform serves them."""
    notices = Notices(connection_parameters)
    streams = Streams(get_asgi_application(), hop=in_domain, notices=notices)
    turns = Runner(at_once, notices)
    beside = [notices.running, streams.running, turns.running]
    application = Edge(mount(BodyLimit(streams), {}, beside=beside), proxies=[])
    with serve(application) as served:
        yield served
    offload.close()


@contextlib.contextmanager
def client_of(person: User, port: int) -> Iterator[httpx.Client]:
    """A program with a key of that person."""
    _, key = make_key(person, Scope.WRITE)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/", headers=headers, timeout=SECONDS) as client:
        yield client


def ask(api: httpx.Client, agent: Agent, message: str = "Hello?", **more: Any) -> dict[str, Any]:
    answer = api.post("chat", json={"agentId": str(agent.pk), "message": message, **more})
    assert answer.status_code == 202, answer.text
    asked: dict[str, Any] = answer.json()
    assert answer.headers["Location"].endswith(asked["turnId"])
    return asked


def ended(api: httpx.Client, turn_id: str) -> dict[str, Any]:
    """The turn once it is over: its stream ends then."""
    with watching(api, f"turns/{turn_id}/events") as stream:
        stream.until("over")
    turn: dict[str, Any] = api.get(f"turns/{turn_id}").json()
    return turn


def watching(api: httpx.Client, path: str, **headers: str) -> Open:
    request = api.build_request("GET", path, headers={"Accept": "text/event-stream", **headers})
    return Open(api.send(request, stream=True))
