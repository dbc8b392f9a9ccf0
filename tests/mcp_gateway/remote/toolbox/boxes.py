"""Opening a toolbox from a test, and the names of the tools in it."""

import contextlib
from typing import Any

from accounts.caller import Caller
from mcp_gateway.models import RemoteServer
from mcp_gateway.remote import toolbox
from mcp_gateway.remote.toolbox import Toolbox


def using(caller: Caller, *servers: RemoteServer, **options: Any) -> contextlib.AbstractAsyncContextManager[Toolbox]:
    return toolbox.open(caller, [server.pk for server in servers], **options)


def named(server: RemoteServer, tool: str) -> str:
    return f"{server.slug}_{server.pk}__{tool}"
