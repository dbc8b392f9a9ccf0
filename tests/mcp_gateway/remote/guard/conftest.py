"""The rules of production, a site on the public internet, and something inside that listens and must hear nothing."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Organization
from mcp_gateway.remote.services import connections, testing
from security import outbound
from security.outbound import Policy
from security.throttle import Limit
from tests.factories import RemoteServerFactory
from tests.mcp_gateway.remote.guard.places import NAME, Site, Stage
from tests.security.outbound import hostile
from tests.security.outbound.loopback import EVERYWHERE, POLICY, PUBLIC, Authority, Names, Server, answering, serving


@pytest.fixture(scope="module")
def served() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def site(served: Site) -> Site:
    served.reset()
    return served


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    # It speaks TLS, so that whoever comes with https:// or http:// is told at once that this goes nowhere.
    tls = Authority(tmp_path_factory.mktemp("authority")).server_context(NAME, [])
    with serving(answering(b"the inside"), host=EVERYWHERE, tls=tls) as server:
        yield server


@pytest.fixture
def canary(listening: Server) -> Server:
    """What listens inside, on every address of this machine."""
    listening.connections = 0
    return listening


@pytest.fixture
def names() -> Names:
    """What the attacker's name service answers."""
    names = Names()
    for name, addresses in hostile.ANSWERS.items():
        names.add(name, addresses)
    names.add(NAME, [PUBLIC])
    return names


class Guard:
    """The policy that connections are made by: the site's address counts as public, and http:// is taken, so that
    what is refused is refused for its address. What is saved is judged by the settings alone, which are strict."""

    policy: Policy = POLICY


@pytest.fixture
def guard(names: Names, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Guard:
    settings.QUICK_THREADS = 0
    settings.OUTBOUND_ALLOW_LOCAL = False
    for service in (connections, testing):
        monkeypatch.setattr(service, "PACE", Limit("as often as one likes", 100_000, 60))
    guard = Guard()
    async_client, client = partial(outbound.async_client, resolver=names), partial(outbound.client, resolver=names)

    def for_documents(bounds: Any, *, policy: Policy) -> outbound.OutboundClient:
        return client(bounds, policy=replace(guard.policy, plain_http=policy.plain_http))

    monkeypatch.setattr(outbound, "async_client", lambda *args, **kw: async_client(*args, policy=guard.policy, **kw))
    monkeypatch.setattr(outbound, "client", for_documents)
    return guard


@pytest.fixture
def stage(guard: Guard, site: Site, member: Caller, organization: Organization) -> Stage:
    return Stage(site, member, RemoteServerFactory(organization=organization, url=site.url))
