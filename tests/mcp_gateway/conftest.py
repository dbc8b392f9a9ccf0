"""What the gateway's tests share."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from accounts.models import User
from tests.factories import UserFactory
from tests.mcp_gateway import door, things
from tests.mcp_gateway.door import Direct, Live


@pytest.fixture
def in_this_thread(settings: Settings) -> None:
    """The domain runs in the test's thread and transaction, and nobody is counted."""
    settings.QUICK_THREADS = 0
    settings.MCP_SERVER_RATE_PER_MINUTE = 0


@pytest.fixture
def person(db: None) -> User:
    return UserFactory(name="Ada")


@pytest.fixture
def direct(in_this_thread: None, person: User) -> Direct:
    """The test's tools, with a key of the person that reaches all of them."""
    return Direct(door.endpoint(things.SERVER, things.registry), door.api_key(person))


@pytest.fixture
def live(transactional_db: None, settings: Settings) -> Iterator[Live]:
    """The test's tools on a port."""
    settings.MCP_SERVER_RATE_PER_MINUTE = 0
    with door.live(door.endpoint(things.SERVER, things.registry)) as server:
        yield server
