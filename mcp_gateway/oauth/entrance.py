"""How an endpoint is opened by a person's sign-in: with an access token issued for it, and with nothing else."""

from collections.abc import Coroutine, Mapping
from typing import Any

from django.conf import settings

from accounts.caller import Caller, Door
from accounts.key_format import PREFIX
from accounts.scopes import Scope
from mcp_gateway.oauth import resources, tokens
from mcp_gateway.oauth.scopes import with_those_below
from mcp_gateway.offload import in_domain
from mcp_gateway.refusals import Refusal
from security import request_id


class TokenEntrance:
    """Takes access tokens bound to the resource at `path`."""

    lists_beyond_scope = True
    old_revisions_fault = 400

    def __init__(self, path: str) -> None:
        self.path = path

    async def admit(self, headers: Mapping[str, str], address: str) -> Caller:
        """Who calls. What is refused says where to sign in, which a client follows by itself (RFC 9728 section 5)."""
        authorization = headers.get("authorization")
        if authorization is None:
            raise self._unauthorized("Sign in: this endpoint takes access tokens of our own sign-in.")
        kind, _, text = authorization.partition(" ")
        text = text.strip()
        if kind.lower() != "bearer" or not text:
            raise self._unauthorized("The Authorization header is not of the form `Bearer …`.", "invalid_request")
        if text.startswith(PREFIX):
            raise self._unauthorized(
                "API keys do not open this endpoint, which works in the name of a person who signed in. "
                f"Use the key with the REST API at {settings.PUBLIC_URL}/agents/v2, or sign in.",
                "invalid_token",
            )
        token = await in_domain(tokens.verify, text, self.path)
        if token is None:
            raise self._unauthorized(
                "This access token is not valid here: it is unknown, expired, revoked or issued for another resource, "
                "or its person was deactivated or belongs to no organization. Refresh it or sign in again.",
                "invalid_token",
            )
        return Caller(
            user_id=token.user_id,
            scope=token.scope,
            door=Door.MCP,
            application_id=token.application_id,
            ip=address,
            request_id=request_id.current(),
        )

    def scope_challenge(self, needed: Scope) -> Mapping[str, str]:
        return {"www-authenticate": self._challenge("insufficient_scope", with_those_below([needed]))}

    def beside(self) -> list[Coroutine[Any, Any, None]]:
        return []

    def _unauthorized(self, problem: str, error: str = "") -> Refusal:
        challenge = self._challenge(error, [scope.value for scope in resources.WANTED])
        return Refusal(401, "unauthorized", problem, www_authenticate=challenge)

    def _challenge(self, error: str, scopes: list[str]) -> str:
        said = {
            "realm": "asterism",
            "error": error,
            "scope": " ".join(scopes),
            "resource_metadata": resources.metadata_url(self.path),
        }
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items() if value)
