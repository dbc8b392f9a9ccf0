"""What tests of streams share: a story, the pages on a port, and somebody with a session."""

from collections.abc import Iterator

import pytest
from django.core.asgi import get_asgi_application
from django.test.utils import override_settings

from accounts.models import User
from config.body_limit import BodyLimit
from config.edge import Edge
from dashboard.streams.layer import Streams
from dashboard.streams.notices import Notices
from mcp_gateway import offload
from mcp_gateway.asgi import mount
from mcp_gateway.hot import connection_parameters
from mcp_gateway.offload import in_domain
from tests.dashboard.streams.story import Place, Story, Urls, stories
from tests.factories import UserFactory
from tests.pages import session_of
from tests.serving import serve


@pytest.fixture
def story() -> Iterator[Story]:
    stories["story"] = Story()
    yield stories["story"]
    stories.clear()


@pytest.fixture
def place(transactional_db: None, story: Story) -> Iterator[Place]:
    with override_settings(ROOT_URLCONF=Urls):
        notices = Notices(connection_parameters)
        around = Streams(get_asgi_application(), hop=in_domain, notices=notices)
        beside = [notices.running, around.running]
        with serve(Edge(mount(BodyLimit(around), {}, beside=beside), proxies=[])) as served:
            yield Place(around, served, f"http://127.0.0.1:{served.port}/watch")
            served.loop.call_soon_threadsafe(around.end)
    offload.close()


@pytest.fixture
def person(transactional_db: None) -> User:
    return UserFactory()


@pytest.fixture
def session(person: User) -> str:
    return session_of(person)
