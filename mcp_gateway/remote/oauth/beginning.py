"""The first half of a sign-in: finding the provider, being a client there, and where to send the person."""

import json
import secrets
from dataclasses import dataclass

from accounts.caller import Caller
from mcp_gateway.models import RemoteConnection, RemoteServer, RemoteSignIn
from mcp_gateway.offload import in_domain
from mcp_gateway.remote.oauth import client_document, clients, discovery, pending, requests, scopes
from mcp_gateway.remote.oauth.challenge import Challenge
from mcp_gateway.remote.oauth.discovery import Discovery
from mcp_gateway.remote.oauth.pending import Pending
from mcp_gateway.remote.oauth.provider import Client, Provider


@dataclass(frozen=True, slots=True)
class Before:
    """What is known from earlier sign-ins of this person at this server, and of everybody's."""

    scope: str = ""
    wanted: str = ""
    issuers: frozenset[str] = frozenset()
    # Whether one was begun and never came back: the provider may not know the client that we registered.
    abandoned: bool = False


async def begin(
    server: RemoteServer,
    caller: Caller,
    *,
    session_digest: bytes,
    return_to: str = "",
    challenge: Challenge | None = None,
    wider_scope: str = "",
) -> str:
    """Where to send the person, who may come back within minutes, in the session that the digest is of.

    `challenge` is what the server said when it let nobody in, asked for if not given; `wider_scope` is asked for in
    addition to what is usual. Raises `SignInFailed` or `Unavailable`.
    """
    before = await in_domain(_before, server, caller)
    found = await discovery.discover(server.url, server.transport, challenged=challenge, preferred=before.issuers)
    wider = " ".join([before.wanted, wider_scope]).strip()
    scope = scopes.to_ask_for(server, found, before=before.scope, wider=wider)
    client = await clients.client_for(server, found, scope, afresh=before.abandoned)
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    begun = Pending(
        provider=_provider(found, client, scope),
        verifier=verifier,
        redirect_uri=client_document.callback_url(),
        server=pending.identity(server),
    )
    await in_domain(pending.remember, server, caller, state, session_digest, begun, return_to)
    return requests.authorization_url(begun["provider"], state=state, verifier=verifier)


def _before(server: RemoteServer, caller: Caller) -> Before:
    issuers = frozenset(clients.issuers_before(server))
    abandoned = RemoteSignIn.objects.filter(user_id=caller.user_id, server=server).exists()
    row = RemoteConnection.objects.filter(user_id=caller.user_id, server=server).first()
    if row is None:
        return Before(issuers=issuers, abandoned=abandoned)
    asked = json.loads(row.provider or "{}").get("scope", "")
    return Before(scope=asked, wanted=row.wanted_scope, issuers=issuers, abandoned=abandoned)


def _provider(found: Discovery, client: Client, scope: str) -> Provider:
    authority = found.authority
    return Provider(
        issuer=authority.issuer,
        authorization_endpoint=authority.authorization_endpoint,
        token_endpoint=authority.token_endpoint,
        revocation_endpoint=authority.revocation_endpoint,
        names_itself=authority.names_itself,
        resource=found.resource.identifier,
        scope=scope,
        client=client,
    )
