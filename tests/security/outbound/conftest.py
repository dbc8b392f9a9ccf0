"""Two names of public servers, something inside that must not be reached, and both kinds of client."""

from collections.abc import Iterator

import pytest

from tests.security.outbound.loopback import INSIDE, PUBLIC, Mode, Names, Server, answering, serving

SITE, OTHER = "mcp.example.net", "other.example.net"


@pytest.fixture(params=["sync", "async"])
def mode(request: pytest.FixtureRequest) -> Mode:
    kind: Mode = request.param
    return kind


@pytest.fixture
def names() -> Names:
    names = Names()
    names.add(SITE, [PUBLIC])
    names.add(OTHER, [PUBLIC])
    return names


@pytest.fixture
def canary() -> Iterator[Server]:
    with serving(answering(b"the inside"), host=INSIDE) as server:
        yield server
