"""A provider in memory behind the SDK's authorization routes: it gives grants by account, and rotates strictly."""

import secrets
import time
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx2
from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    TokenError,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

USE, ADMINISTER = "tools:use", "tools:administer"


@dataclass
class Behaviour:
    access_seconds: int = 3600
    gives_refresh_tokens: bool = True
    rotates: bool = True
    # Kept with its successor's answer for this long after it was spent; 0 takes every second use for theft.
    grace_seconds: float = 0


class Provider(OAuthAuthorizationServerProvider[AuthorizationCode, RefreshToken, AccessToken]):
    """Grants by account, in memory. A rotated refresh token that comes back ends all tokens of its account."""

    def __init__(self, behaviour: Behaviour, issuer: str) -> None:
        self.behaviour, self.issuer = behaviour, issuer
        self.forget()

    def forget(self) -> None:
        """Know no client and no grant."""
        self.clients: dict[str, OAuthClientInformationFull] = {}
        self.asked: dict[str, tuple[OAuthClientInformationFull, AuthorizationParams]] = {}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access: dict[str, AccessToken] = {}
        self.refresh: dict[str, RefreshToken] = {}
        self.spent: dict[str, tuple[RefreshToken, OAuthToken, float]] = {}
        self.revoked: list[str] = []

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        if client_id.startswith(("http://", "https://")) and client_id not in self.clients:
            async with httpx2.AsyncClient(trust_env=False) as client:
                document = (await client.get(client_id)).json()
            if document["client_id"] != client_id:
                return None
            # A document names no scopes; the library wants every one that is asked for to be registered.
            self.clients[client_id] = OAuthClientInformationFull.model_validate(
                {"scope": f"{USE} {ADMINISTER}", **document}
            )
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        if params.resource is None:
            raise AuthorizeError("invalid_target", "Tokens are for one resource; name it.")
        request = secrets.token_urlsafe(16)
        self.asked[request] = client, params
        return f"{self.issuer}/consent?request={request}"

    def consent(self, request: str, account: str) -> str:
        """Where the person is sent with a code; the request is answered once."""
        client, params = self.asked.pop(request)
        code = secrets.token_urlsafe(24)
        self.codes[code] = AuthorizationCode(
            code=code,
            scopes=params.scopes or [USE],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject=account,
        )
        return _with_query(str(params.redirect_uri), code=code, state=params.state or "", iss=self.issuer)

    def deny(self, request: str) -> str:
        _, params = self.asked.pop(request)
        return _with_query(str(params.redirect_uri), error="access_denied", state=params.state or "", iss=self.issuer)

    async def load_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: str
    ) -> AuthorizationCode | None:
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: AuthorizationCode
    ) -> OAuthToken:
        code = self.codes.pop(authorization_code.code)
        return self._give(client, code.scopes, code.subject, code.resource)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        if refresh_token in self.spent:
            return self.spent[refresh_token][0]
        return self.refresh.get(refresh_token)

    async def exchange_refresh_token(
        self, client: OAuthClientInformationFull, refresh_token: RefreshToken, scopes: list[str]
    ) -> OAuthToken:
        if refresh_token.token in self.spent:
            _, successor, spent_at = self.spent[refresh_token.token]
            if time.monotonic() - spent_at <= self.behaviour.grace_seconds:
                return successor
            self.revoke(refresh_token.subject)
            raise TokenError("invalid_grant", "This refresh token was used before.")
        given = self._give(client, scopes, refresh_token.subject, refresh_token.resource)
        if self.behaviour.rotates:
            del self.refresh[refresh_token.token]
            self.spent[refresh_token.token] = refresh_token, given, time.monotonic()
        return given

    def _give(
        self, client: OAuthClientInformationFull, scopes: list[str], account: str | None, resource: str | None
    ) -> OAuthToken:
        seconds = self.behaviour.access_seconds
        access = AccessToken(
            token=secrets.token_urlsafe(24),
            client_id=client.client_id,
            scopes=scopes,
            expires_at=int(time.time()) + seconds,
            resource=resource,
            subject=account,
        )
        self.access[access.token] = access
        refresh = None
        if self.behaviour.gives_refresh_tokens:
            refresh = RefreshToken(
                token=secrets.token_urlsafe(24),
                client_id=client.client_id,
                scopes=scopes,
                resource=resource,
                subject=account,
            )
            self.refresh[refresh.token] = refresh
        return OAuthToken(
            access_token=access.token,
            expires_in=seconds,
            scope=" ".join(scopes),
            refresh_token=refresh.token if refresh else None,
        )

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.access.get(token)

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        self.revoked.append(token.token)
        self.access.pop(token.token, None)
        self.refresh.pop(token.token, None)

    def revoke(self, account: str | None) -> None:
        """End what an account let in, or everybody for None."""
        self.access = {text: token for text, token in self.access.items() if account and token.subject != account}
        self.refresh = {text: token for text, token in self.refresh.items() if account and token.subject != account}


def _with_query(url: str, **members: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(members)}"
