"""What lies between the two halves of a sign-in: a row, found by its state, taken once, within minutes.

Sealed in it are the verifier and all that was found out about the provider, so that the second half, which may run in
another process, asks nobody again where to send the code. Only the person and the browser that began can take it.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypedDict

from django.db import transaction
from django.db.models.functions import Now
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.caller import Caller
from mcp_gateway.models import RemoteServer, RemoteSignIn
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from mcp_gateway.remote.oauth.provider import Provider

LIFETIME = timedelta(minutes=10)
LONGEST_PATH = 500


class Pending(TypedDict):
    """What is sealed between the two halves."""

    provider: Provider
    verifier: str
    redirect_uri: str
    # What the server was when the person decided to sign in to it.
    server: list[str]


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in taken up again."""

    server_id: int
    return_to: str
    pending: Pending = field(repr=False)


def remember(
    server: RemoteServer, caller: Caller, state: str, session_digest: bytes, pending: Pending, return_to: str
) -> None:
    """Keep a sign-in that was begun, for the session that the digest is of."""
    RemoteSignIn.objects.create(
        user_id=caller.user_id,
        server=server,
        state_digest=_digest(state),
        session_digest=session_digest,
        pending=json.dumps(pending),
        return_to=_own_path(return_to),
        expires_at=Now() + LIFETIME,
    )


def _own_path(path: str) -> str:
    """The path, if it is one of ours: nobody is sent to another site in our name."""
    fits = path.startswith("/") and path.isprintable() and len(path) <= LONGEST_PATH
    return path if fits and url_has_allowed_host_and_scheme(path, allowed_hosts=None) else ""


def take(state: str, caller: Caller, session_digest: bytes) -> Begun:
    """Take the row of this state, which is then gone, whatever comes of it."""
    with transaction.atomic():
        known = RemoteSignIn.objects.select_for_update().filter(state_digest=_digest(state))
        row = known.annotate(now=Now()).first()
        if row is None:
            raise SignInFailed(
                Reason.UNKNOWN_STATE, "This sign-in is not known, or has been finished already. Connect again."
            )
        if row.user_id != caller.user_id or not hmac.compare_digest(bytes(row.session_digest), session_digest):
            raise SignInFailed(
                Reason.OTHER_BROWSER,
                "This sign-in was begun in another browser or by somebody else, and can only be finished there. "
                "Connect again.",
            )
        begun = Begun(row.server_id, row.return_to, json.loads(row.pending))
        row.delete()
    if row.expires_at <= row.now:
        raise SignInFailed(
            Reason.EXPIRED,
            "The sign-in took longer than ten minutes. Connect again.",
            server_id=begun.server_id,
            return_to=begun.return_to,
        )
    return begun


def identity(server: RemoteServer) -> list[str]:
    """What somebody signs in to: an answer that comes after any of this changed is not kept."""
    return [server.url, server.auth_type, server.client_mode, server.client_id]


def _digest(state: str) -> bytes:
    return hashlib.sha256(state.encode()).digest()
