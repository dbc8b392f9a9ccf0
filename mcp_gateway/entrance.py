"""How an endpoint is opened, and what it says to whoever may not come in. This one takes API keys.

The sign-in's, which takes tokens, is in mcp_gateway.oauth.entrance.
"""

from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from django.conf import settings

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from mcp_gateway import admission
from mcp_gateway.keyring import KeyRing
from mcp_gateway.trail import Trail
from security import request_id


class Entrance(Protocol):
    """What an endpoint asks of whoever guards it."""

    lists_beyond_scope: bool
    """Whether a caller sees the tools its scope does not reach, because its client can ask for more."""
    old_revisions_fault: int
    """The status, before 2026-07-28, of a body that is no message."""

    async def admit(self, headers: Mapping[str, str], address: str) -> Caller:
        """Who calls; raises a `Refusal` for whoever may not."""

    def scope_challenge(self, needed: Scope) -> Mapping[str, str] | None:
        """The headers with which a call beyond the caller's scope is answered 403; None to answer it as any error."""

    def beside(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run while the endpoint does."""


class KeyEntrance:
    """Takes API keys."""

    lists_beyond_scope = False
    old_revisions_fault = 200

    def __init__(self, trail: Trail) -> None:
        self.keys = KeyRing(settings.KEY_CACHE_SECONDS)
        self._trail = trail

    async def admit(self, headers: Mapping[str, str], address: str) -> Caller:
        key = await admission.check_key(self.keys, headers)
        self._trail.used(key.key_id)
        return Caller(
            user_id=key.user_id,
            scope=key.scope,
            door=Door.MCP,
            api_key_id=key.key_id,
            ip=address,
            request_id=request_id.current(),
        )

    def scope_challenge(self, needed: Scope) -> None:
        return None

    def beside(self) -> list[Coroutine[Any, Any, None]]:
        return [self.keys.listen()]
