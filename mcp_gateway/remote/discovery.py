"""What is known of servers for a while, so that not every conversation begins with asking: revision and tools.

Kept in this process, per server and credential. The server's row has a revision that grows with each edit and whenever
a server says that its tools changed; what was kept under an older one is not used, in any process.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.db.models import F
from mcp_types import DiscoverResult, Tool

from mcp_gateway.models import RemoteServer
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.conversation import Page, RemoteSession
from mcp_gateway.remote.names import tool_name
from mcp_gateway.remote.services import tools as policies
from mcp_gateway.remote.targets import Target

# Where the server does not say how long its list holds; and the longest that is believed.
KEEP_SECONDS = 60.0
LONGEST_SECONDS = 3_600.0
MOST_KEPT = 512


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool as callers see it. What its server says of it (title, description, annotations) is the server's word."""

    name: str
    title: str
    description: str
    input_schema: Mapping[str, Any]
    output_schema: Mapping[str, Any] | None
    annotations: Mapping[str, Any]
    server_id: int
    remote_name: str
    ask_first: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A server as it was when last asked. The tools are good until `until` (monotonic), the rest for longer."""

    revision: int
    prior: DiscoverResult | None
    handshake: bool
    listed: tuple[Tool, ...] = ()
    tools: tuple[OfferedTool, ...] = ()
    until: float = field(default=0.0)

    @property
    def fresh(self) -> bool:
        return monotonic() < self.until


_known: OrderedDict[tuple[int, str], Known] = OrderedDict()


def known(target: Target) -> Known | None:
    """What is kept for the target's server and credential, at the revision it is at now."""
    assert target.server_id is not None
    key = (target.server_id, target.credential.key)
    found = _known.get(key)
    if found is None or found.revision != target.revision:
        _known.pop(key, None)
        return None
    _known.move_to_end(key)
    return found


async def discover(target: Target, session: RemoteSession) -> Known:
    """Ask for the server's tools, have them remembered and decided upon, and keep the answer."""
    assert target.server_id is not None
    page = await session.page()
    definitions = [tool.model_dump(by_alias=True, mode="json", exclude_unset=True) for tool in page.tools]
    decisions = await in_domain(policies.note_discovered, target.server_id, definitions)
    found = Known(
        revision=target.revision,
        prior=session.prior,
        handshake=not session.modern,
        listed=tuple(page.tools),
        tools=_offered(target, page.tools, decisions),
        until=monotonic() + _seconds(page),
    )
    _keep(target, found)
    return found


def forget(server_id: int) -> None:
    """Drop what this process keeps of a server."""
    for key in [key for key in list(_known) if key[0] == server_id]:
        _known.pop(key, None)


def keeps(server_id: int) -> bool:
    """Whether anything is kept of a server, for whomever."""
    return any(key[0] == server_id for key in _known)


def clear() -> None:
    _known.clear()


async def tell_changed(server_id: int) -> None:
    """Have all processes drop what they keep of the server."""
    forget(server_id)
    await in_domain(_next_revision, server_id)


def _next_revision(server_id: int) -> None:
    RemoteServer.objects.filter(pk=server_id).update(revision=F("revision") + 1)


def _keep(target: Target, found: Known) -> None:
    assert target.server_id is not None
    _known[target.server_id, target.credential.key] = found
    _known.move_to_end((target.server_id, target.credential.key))
    while len(_known) > MOST_KEPT:
        _known.popitem(last=False)


def _seconds(page: Page) -> float:
    return KEEP_SECONDS if page.keep_seconds is None else min(page.keep_seconds, LONGEST_SECONDS)


def _offered(target: Target, tools: list[Tool], decisions: Mapping[str, policies.Decision]) -> tuple[OfferedTool, ...]:
    """The tools that callers get, in the server's order. Of two with one name the first is meant."""
    assert target.server_id is not None
    offered: dict[str, OfferedTool] = {}
    for tool in tools:
        decision = decisions.get(tool.name)
        name = tool_name(target.slug, target.server_id, tool.name)
        if decision is None or not decision.offered or name in offered:
            continue
        annotations = tool.annotations
        offered[name] = OfferedTool(
            name=name,
            title=tool.title or (annotations.title if annotations else None) or tool.name,
            description=tool.description or "",
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            annotations={} if annotations is None else annotations.model_dump(by_alias=True, exclude_none=True),
            server_id=target.server_id,
            remote_name=tool.name,
            ask_first=decision.ask_first,
        )
    return tuple(offered.values())
