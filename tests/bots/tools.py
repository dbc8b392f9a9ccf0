"""Calling the bots' tools as a client does: by HTTP with a key."""

from datetime import timedelta
from typing import Any

import jsonschema
from django.utils import timezone

from accounts.models import User
from accounts.scopes import Scope
from mcp_gateway.registry import registry
from tests.mcp_gateway import door
from tests.mcp_gateway.door import Direct

SCOPES = {
    "ticket.list": "read",
    "ticket.get": "read",
    "ticket.getTranscript": "read",
    "ticket.close": "write",
    "mod.listCases": "read",
    "mod.warnUser": "write",
    "mod.kickUser": "write",
    "mod.banUser": "write",
    "giftCode.list": "read",
    "giftCode.generate": "write",
    "giftCode.revoke": "write",
    "stats.getBotSummary": "read",
    "stats.getOwnSubscription": "read",
    "analytics.getActivity": "read",
    "roi.getSnapshot": "read",
}


def client_of(user: User, scope: Scope = Scope.WRITE) -> Direct:
    return Direct(door.endpoint(), door.api_key(user, scope))


def call(client: Direct, tool: str, **arguments: Any) -> Any:
    """The structured result, which fits the tool's own output schema."""
    result = client.call(tool, **arguments).result
    assert not result.get("isError"), result["content"][0]["text"]
    declared = registry.find("bots", tool)
    assert declared is not None
    jsonschema.validate(result["structuredContent"], declared.output_schema)
    return result["structuredContent"]


def failure(client: Direct, tool: str, **arguments: Any) -> tuple[str, str]:
    """The code and the message of a call that fails."""
    result = client.call(tool, **arguments).result
    assert result["isError"], result
    return result["_meta"]["asterism/error"]["code"], result["content"][0]["text"]


def range_of(days: int) -> dict[str, str]:
    now = timezone.now()
    return {"from": (now - timedelta(days=days)).isoformat(), "to": now.isoformat()}
