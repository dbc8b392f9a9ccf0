"""The ASGI application: Django's pages with the MCP endpoints mounted beside them."""

import os
from contextlib import AbstractAsyncContextManager

from django.conf import settings
from django.core.asgi import get_asgi_application

from config.edge import Edge
from config.kept_threads import KeptThreads

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
pages = KeptThreads(get_asgi_application())

# The apps have to be ready before what they register is looked at.
from agents_hub.chat.runner import Runner  # noqa: E402
from config.body_limit import BodyLimit  # noqa: E402
from config.endpoints import endpoints  # noqa: E402
from dashboard.streams.layer import Streams  # noqa: E402
from dashboard.streams.notices import Notices  # noqa: E402
from mcp_gateway.asgi import mount  # noqa: E402
from mcp_gateway.hot import connection_parameters  # noqa: E402
from mcp_gateway.offload import in_domain  # noqa: E402


def running_turns() -> AbstractAsyncContextManager[None]:
    """The turns of chats that this process carries out, in the event loop that serves it."""
    return Runner(settings.CHAT_TURNS_PER_PROCESS, notices).running()


# One listening connection for whatever this process waits for.
notices = Notices(connection_parameters)
streams = Streams(pages, hop=in_domain, notices=notices)
application = Edge(
    mount(BodyLimit(streams), endpoints(), beside=[pages.running, notices.running, streams.running, running_turns]),
    proxies=settings.TRUSTED_PROXIES,
)
