"""The second half of a sign-in: the browser's answer checked, the code redeemed, the tokens kept.

No transaction is open while the provider is asked.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.utils import timezone

from accounts.caller import Caller
from accounts.errors import Unavailable
from mcp_gateway.models import ClientMode, RemoteConnection, RemoteServer, RemoteSignIn
from mcp_gateway.offload import in_domain
from mcp_gateway.remote import lifetimes, settling
from mcp_gateway.remote.oauth import clients, pending, requests
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from mcp_gateway.remote.oauth.pending import Begun
from mcp_gateway.remote.oauth.tokens import ProviderUnavailable, TokenAnswer, TokenRefused, redeem_code
from security import audit

CLIENT_REFUSALS = {settling.UNKNOWN_CLIENT, "unauthorized_client"}


@dataclass(frozen=True, slots=True)
class SignedIn:
    connection: RemoteConnection
    # A path of ours, or nothing.
    return_to: str


async def finish(query: Mapping[str, str], *, caller: Caller, session_digest: bytes) -> SignedIn:
    """The connection that comes of what the browser brought back. Raises `SignInFailed` or `Unavailable`.

    Where the sign-in is known, both carry `server_id` and `return_to` in their data.
    """
    begun = await in_domain(pending.take, query.get("state", ""), caller, session_digest)
    try:
        code = requests.code_in(query, begun.pending["provider"])
        answer = await _redeem(begun, code)
        return SignedIn(await in_domain(_store, begun, caller, answer), begun.return_to)
    except (SignInFailed, Unavailable) as failure:
        failure.data |= {"server_id": begun.server_id, "return_to": begun.return_to}
        await in_domain(_note_failure, begun, caller, failure)
        raise


async def _redeem(begun: Begun, code: str) -> TokenAnswer:
    try:
        return await _exchange(begun, code)
    except ProviderUnavailable as failure:
        raise Unavailable(
            f"The provider gave no tokens. {failure.reason} Connect again in a moment.",
            code="provider_unavailable",
            data={"retry_after": failure.retry_after} if failure.retry_after is not None else None,
        ) from failure
    except TokenRefused as refusal:
        if refusal.error in CLIENT_REFUSALS:
            raise await in_domain(_client_refused, begun, refusal) from refusal
        said = refusal.description or refusal.error
        raise SignInFailed(
            Reason.REFUSED, f"The provider gave no tokens: {said} Connect again.", error=refusal.error
        ) from refusal


async def _exchange(begun: Begun, code: str) -> TokenAnswer:
    """The tokens for the code. A provider that does not say how it wants to be shown a secret is shown it both ways,
    and remembered with the one that it took."""
    sealed, client = begun.pending, begun.pending["provider"]["client"]
    redeem = partial(
        redeem_code, sealed["provider"], code, verifier=sealed["verifier"], redirect_uri=sealed["redirect_uri"]
    )
    try:
        return await redeem()
    except TokenRefused as refusal:
        if refusal.error != settling.UNKNOWN_CLIENT or not client.get("method_assumed"):
            raise
        client["auth_method"] = "client_secret_post"
        return await redeem()


def _client_refused(begun: Begun, refusal: TokenRefused) -> SignInFailed:
    """The client that we are is not known, or cannot prove itself: no matter of this person's."""
    server = RemoteServer.objects.filter(pk=begun.server_id).first()
    provider = begun.pending["provider"]
    if server is not None and server.client_mode == ClientMode.DYNAMIC:
        clients.forget(server, provider["issuer"], provider["client"]["client_id"])
        return SignInFailed(
            Reason.CLIENT_REFUSED,
            "The provider has forgotten the client it registered for us. Connect again to register another.",
        )
    fault = (
        f"The provider does not accept the client that we are to it ({refusal.error}). Check the client ID, and enter "
        "the client secret again."
    )
    if server is not None:
        settling.blame_server(server, code=settling.UNKNOWN_CLIENT, fault=fault)
    return SignInFailed(Reason.CLIENT_REFUSED, f"{fault} An admin does that in the server's settings.")


def _store(begun: Begun, caller: Caller, answer: TokenAnswer) -> RemoteConnection:
    """Keep the tokens, in place of whatever was there; a refresh under way finds newer ones and keeps nothing."""
    provider = begun.pending["provider"]
    with transaction.atomic():
        server = (
            RemoteServer.objects.for_caller(caller).select_for_update(of=("self",)).filter(pk=begun.server_id).first()
        )
        if server is None or pending.identity(server) != begun.pending["server"]:
            raise SignInFailed(Reason.REFUSED, "The server was changed or deleted meanwhile. Connect again.")
        mine = RemoteConnection.objects.select_for_update().filter(user_id=caller.user_id, server=server)
        row = mine.first() or RemoteConnection(user_id=caller.user_id, server=server, generation=0)
        row.provider, row.issuer = json.dumps(provider), provider["issuer"]
        row.access_token, row.refresh_token = answer.access_token, answer.refresh_token
        row.scope, row.wanted_scope = answer.scope or provider.get("scope", ""), ""
        row.generation += 1
        row.connected_at, row.refreshed_at = timezone.now(), None
        schedule = lifetimes.schedule(answer.expires_in, refreshable=answer.refresh_token is not None)
        for name, value in (settling.FREE | settling.WELL | schedule).items():
            setattr(row, name, value)
        row.save()
        if server.client_mode == ClientMode.KNOWN_CREDENTIALS:
            clients.keep_known(server, provider["issuer"])
        RemoteServer.objects.filter(pk=server.pk, fault_code=settling.UNKNOWN_CLIENT).update(fault_code="", fault="")
        RemoteSignIn.objects.filter(user_id=caller.user_id, server=server).delete()
        _record(caller, server.pk, issuer=provider["issuer"], scope=row.scope)
    row.refresh_from_db()
    return row


def _note_failure(begun: Begun, caller: Caller, failure: SignInFailed | Unavailable) -> None:
    """Leave an entry; and a wider scope that was not given is not asked for again by itself."""
    with transaction.atomic():
        if failure.data.get("error") in ("invalid_scope", "access_denied"):
            mine = RemoteConnection.objects.filter(user_id=caller.user_id, server_id=begun.server_id)
            mine.exclude(wanted_scope="").update(wanted_scope="")
        _record(caller, begun.server_id, error_code=failure.code)


def _record(caller: Caller, server_id: int, *, error_code: str = "", **detail: str) -> None:
    audit.record(
        "remote_connection.connect",
        caller=caller,
        outcome=audit.Outcome.ERROR if error_code else audit.Outcome.OK,
        error_code=error_code,
        target=f"remote_server:{server_id}",
        detail=detail,
    )
