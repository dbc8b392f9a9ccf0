"""The client's side of the sign-in, spoken through the platform's doors: what an honest one sends, piece by piece."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.conf import settings
from django.test import Client

from accounts.models import Membership, Organization, User

REDIRECT = "http://127.0.0.1:9999/callback"


def resource() -> str:
    return f"{settings.PUBLIC_URL}/mcp"


def member(user: User, name: str = "Lovelace") -> Membership:
    organization = Organization.objects.create(name=name, slug=f"{name.lower()}-{secrets.token_hex(4)}")
    return Membership.objects.create(user=user, organization=organization)


def register(client: Client, **metadata: Any) -> Any:
    stated = {"client_name": "Editor", "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none"} | metadata
    return client.post("/oauth/register", stated, content_type="application/json")


@dataclass
class Flow:
    """One client and one person's browser."""

    browser: Client
    client_id: str
    redirect_uri: str = REDIRECT
    scope: str = "read write"
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))

    def query(self, **changed: str | None) -> str:
        """The authorization request; a value of None leaves a parameter out."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.scope,
            "state": self.state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "resource": resource(),
        } | changed
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value is not None})

    def ask(self, **changed: str | None) -> Any:
        """The page, or the redirect, that the person's browser gets."""
        return self.browser.get(self.query(**changed))

    def answer(self, *, allow: bool = True, page: Any = None, **changed: Any) -> Any:
        """Press a button on the consent page."""
        page = page or self.ask()
        hidden = {name: value for name, value in page.context["form"].initial.items() if value}
        return self.browser.post(
            page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"],
            hidden | ({"allow": "true"} if allow else {}) | changed,
        )

    def code(self, **changed: str | None) -> str:
        code: str = returned(self.answer(page=self.ask(**changed)))["code"]
        return code

    def redeem(self, code: str, **changed: str | None) -> Any:
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "resource": resource(),
        } | changed
        return Client().post("/oauth/token", {name: value for name, value in sent.items() if value is not None})

    def refresh(self, refresh_token: str, **changed: str | None) -> Any:
        sent = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": self.client_id} | changed
        return Client().post("/oauth/token", {name: value for name, value in sent.items() if value is not None})

    def tokens(self) -> dict[str, Any]:
        response = self.redeem(self.code())
        assert response.status_code == 200, response.content
        answered: dict[str, Any] = response.json()
        return answered


def returned(response: Any) -> dict[str, str]:
    """The parameters with which a redirect goes back to the client."""
    assert response.status_code == 302, response.content
    return dict(parse_qsl(urlsplit(response.headers["Location"]).query))


def location(response: Any) -> str:
    return urlsplit(str(response.headers["Location"]))._replace(query="", fragment="").geturl()


__all__ = ["REDIRECT", "Flow", "location", "member", "register", "resource", "returned"]
