"""Which client we are at a provider, by the server's mode: pre-created by an admin, registered now, or our document.

A client belongs to the provider that knows it. What was registered with one, or entered for one, is never shown to
another, whatever the server says its provider is today.
"""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2
from django.utils import timezone

from mcp_gateway.models import ClientMode, RemoteClient, RemoteServer
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.oauth import client_document, wire
from mcp_gateway.remote.oauth.discovery import Discovery
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed, busy, unreachable
from mcp_gateway.remote.oauth.metadata import Authority, shown
from mcp_gateway.remote.oauth.provider import AuthMethod, Client

# A secret that ends sooner than this is not begun with.
LEAST_LEFT = timedelta(hours=1)
# What tokens are asked for with a secret, best first: the header is not logged with forms (RFC 6749 section 2.3.1).
WITH_SECRET: tuple[AuthMethod, ...] = ("client_secret_basic", "client_secret_post")
KNOWN_INSTEAD = (
    "An admin can create an OAuth app there by hand, allow the callback URL in it, and choose the mode "
    "“Pre-created OAuth app” (known_credentials)."
)


@dataclass(frozen=True, slots=True)
class Registration:
    """A client as it is kept: what we asked to be, and what the provider made of it."""

    client: Client = field(repr=False)
    redirect_uri: str
    scope: str
    answer: dict[str, Any] = field(repr=False)

    def serves(self, scope: str) -> bool:
        """Whether it may ask for these scopes, and people come back to where we are now."""
        return self.redirect_uri == client_document.callback_url() and set(scope.split()) <= set(self.scope.split())


def issuers_before(server: RemoteServer) -> set[str]:
    """The issuers that this server's client was made for; reads the database."""
    return set(server.clients.values_list("issuer", flat=True))


async def client_for(server: RemoteServer, found: Discovery, scope: str, *, afresh: bool = False) -> Client:
    """The client to sign in with. `afresh` registers again where we register. `SignInFailed` or `Unavailable`."""
    mode, authority = ClientMode(server.client_mode), found.authority
    if found.assumed and mode != ClientMode.DYNAMIC:
        raise SignInFailed(
            Reason.NO_SIGN_IN, "The server does not say where to sign in. Check the URL with the server's operators."
        )
    match mode:
        case ClientMode.KNOWN_CREDENTIALS:
            return await _known(server, authority)
        case ClientMode.DYNAMIC:
            return await _registered(server, authority, scope, afresh=afresh)
        case ClientMode.CIMD:
            return _documented(authority)


async def _known(server: RemoteServer, authority: Authority) -> Client:
    others = await in_domain(issuers_before, server) - {authority.issuer}
    if others:
        raise SignInFailed(
            Reason.PROVIDER_CHANGED,
            f"The server now sends people to {shown(authority.issuer)}, and its client ID belongs to "
            f"{shown(min(others))}. If that is right, an admin creates an OAuth app there and enters its client ID.",
        )
    return known_client(server, authority.auth_methods)


def known_client(server: RemoteServer, auth_methods: tuple[str, ...] | None) -> Client:
    """The client an admin entered."""
    secret = server.client_secret
    if not secret:
        return {"client_id": server.client_id, "auth_method": "none"}
    return {
        "client_id": server.client_id,
        "client_secret": secret,
        "auth_method": _with_secret(auth_methods),
        "method_assumed": auth_methods is None,
    }


def _documented(authority: Authority) -> Client:
    if not authority.takes_documents:
        raise SignInFailed(
            Reason.DOCUMENTS_NOT_SUPPORTED,
            f"{shown(authority.issuer)} does not take client ID metadata documents. {KNOWN_INSTEAD}",
        )
    return {"client_id": client_document.document_url(), "auth_method": "none"}


async def _registered(server: RemoteServer, authority: Authority, scope: str, *, afresh: bool) -> Client:
    kept = None if afresh else await in_domain(_kept, server, authority.issuer)
    if kept is not None and kept.serves(scope):
        return kept.client
    if not authority.registration_endpoint:
        raise SignInFailed(
            Reason.REGISTRATION_NOT_OFFERED,
            f"{shown(authority.issuer)} does not let clients register themselves. {KNOWN_INSTEAD}",
        )
    registration = await _register(authority, scope)
    await in_domain(_keep, server, authority.issuer, registration)
    return registration.client


async def _register(authority: Authority, scope: str) -> Registration:
    """Register with the provider (RFC 7591 section 3)."""
    wanted = _wanted(authority.auth_methods)
    try:
        response = await wire.tell(authority.registration_endpoint, client_document.description(wanted, scope))
    except httpx2.HTTPError as error:
        raise unreachable("The provider", error) from error
    if response.status_code == 429 or response.status_code >= 500:
        raise busy("The provider", response.status_code, wire.retry_after(response))
    answer = wire.members(response)
    client_id = answer.get("client_id")
    if not response.is_success or not isinstance(client_id, str) or not client_id:
        said = wire.word(answer.get("error_description")) or wire.word(answer.get("error"))
        said = said or f"it answers {response.status_code}."
        raise SignInFailed(
            Reason.REGISTRATION_REFUSED, f"{shown(authority.issuer)} refused to register us: {said} {KNOWN_INSTEAD}"
        )
    return Registration(_assigned(client_id, answer, wanted), client_document.callback_url(), scope, answer)


def _assigned(client_id: str, answer: dict[str, Any], wanted: AuthMethod) -> Client:
    """The client as the provider made it, which need not be as we asked (RFC 7591 section 3.2.1)."""
    secret, method = answer.get("client_secret"), answer.get("token_endpoint_auth_method") or wanted
    if not isinstance(secret, str) or not secret:
        if method in ("none", *WITH_SECRET):
            return {"client_id": client_id, "auth_method": "none"}
    elif method in ("none", *WITH_SECRET):
        return {"client_id": client_id, "client_secret": secret, "auth_method": method}
    raise SignInFailed(
        Reason.REGISTRATION_REFUSED,
        f"The provider registered us with a way to prove ourselves that we do not have ({shown(str(method))}). "
        f"{KNOWN_INSTEAD}",
    )


def _wanted(auth_methods: tuple[str, ...] | None) -> AuthMethod:
    """As what we ask to be registered: with a secret, unless the provider only has clients without."""
    usable = [method for method in WITH_SECRET if auth_methods is None or method in auth_methods]
    return usable[0] if usable else "none"


def _with_secret(auth_methods: tuple[str, ...] | None) -> AuthMethod:
    """How to show a secret that we have; the header where the provider does not say (RFC 8414 section 2)."""
    usable = [method for method in WITH_SECRET if auth_methods is None or method in auth_methods]
    return usable[0] if usable else "client_secret_post"


def _kept(server: RemoteServer, issuer: str) -> Registration | None:
    row = RemoteClient.objects.filter(server=server, issuer=issuer).first()
    if row is None or (row.secret_expires_at and row.secret_expires_at < timezone.now() + LEAST_LEFT):
        return None
    kept = json.loads(row.registration)
    if "client" not in kept:
        return None  # a client entered by hand, from before the mode was changed
    return Registration(kept["client"], kept["redirect_uri"], kept["scope"], kept["answer"])


def _keep(server: RemoteServer, issuer: str, registration: Registration) -> None:
    """Remember a client for the next to sign in. Of two made at once either will do: each is in its own sign-in."""
    kept = {"client_id": registration.client["client_id"], **asdict(registration)}
    secret_expires_at = _moment(registration.answer.get("client_secret_expires_at"))
    RemoteClient.objects.update_or_create(
        server=server,
        issuer=issuer,
        defaults={"registration": json.dumps(kept), "secret_expires_at": secret_expires_at},
    )


def keep_known(server: RemoteServer, issuer: str) -> None:
    """Remember whose client it is that an admin entered, once it has worked."""
    kept = json.dumps({"client_id": server.client_id})
    RemoteClient.objects.get_or_create(server=server, issuer=issuer, defaults={"registration": kept})


def forget(server: RemoteServer, issuer: str, client_id: str) -> None:
    """Drop a client that its provider no longer knows, unless another has taken its place."""
    for row in RemoteClient.objects.filter(server=server, issuer=issuer):
        if json.loads(row.registration)["client_id"] == client_id:
            row.delete()


def _moment(seconds: object) -> datetime | None:
    """A moment in Unix time; none for 0, which means never."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 32_503_680_000:
        return None
    return datetime.fromtimestamp(seconds, tz=timezone.get_default_timezone())
