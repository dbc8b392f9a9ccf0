"""The authorization request: where the person's browser is sent, and what is read from what it comes back with."""

import base64
import hashlib
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from mcp_gateway.remote.oauth import client_document, wire
from mcp_gateway.remote.oauth.errors import Reason, SignInFailed
from mcp_gateway.remote.oauth.metadata import shown
from mcp_gateway.remote.oauth.provider import Provider
from mcp_gateway.remote.oauth.scopes import OFFLINE

# What a provider wants besides, or it gives no refresh token:
# https://developers.google.com/identity/protocols/oauth2/web-server#offline
BESIDES = {"https://accounts.google.com": {"access_type": "offline", "prompt": "consent"}}
# Refusals worth words of our own (RFC 6749 section 4.1.2.1).
WORDS = {
    "access_denied": "Access was not allowed at the provider. Connect again to allow it.",
    "invalid_scope": "The provider does not give the scopes that were asked for. An admin checks the server's scopes.",
    "unauthorized_client": "The provider does not let our client sign people in. An admin checks the app there.",
    "temporarily_unavailable": "The provider is busy. Connect again in a moment.",
    "server_error": "The provider failed. Connect again in a moment.",
}


def authorization_url(provider: Provider, *, state: str, verifier: str) -> str:
    """Where to send the person (RFC 6749 section 4.1.1, RFC 7636, RFC 8707). Nothing the provider wrote into its
    endpoint's query stands beside what we say."""
    scope = provider.get("scope", "")
    said = {
        "response_type": "code",
        "client_id": provider["client"]["client_id"],
        "redirect_uri": client_document.callback_url(),
        "state": state,
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        "resource": provider["resource"],
        **({"scope": scope} if scope else {}),
        # OpenID Connect Core section 11: or the offline scope is passed over.
        **({"prompt": "consent"} if OFFLINE in scope.split() else {}),
        **BESIDES.get(provider["issuer"], {}),
    }
    parts = urlsplit(provider["authorization_endpoint"])
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in said]
    return urlunsplit(parts._replace(query=urlencode([*kept, *said.items()])))


def challenge(verifier: str) -> str:
    """RFC 7636 section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def code_in(query: Mapping[str, str], provider: Provider) -> str:
    """The code that the browser brought, once it is certain that the right provider sent it (RFC 9207 section 2.4)."""
    said = query.get("iss")
    if said is None and provider.get("names_itself"):
        raise SignInFailed(
            Reason.WRONG_ISSUER,
            f"{shown(provider['issuer'])} promised to name itself in its answer and did not. The answer is not used.",
        )
    if said is not None and said != provider["issuer"]:
        raise SignInFailed(
            Reason.WRONG_ISSUER,
            f"The sign-in began at {shown(provider['issuer'])} and was answered by {shown(said)}. The answer is not "
            "used, because that may be an attempt to steal access.",
        )
    if error := wire.word(query.get("error")):
        reason = Reason.DENIED if error == "access_denied" else Reason.REFUSED
        words = (
            WORDS.get(error) or f"The provider ended the sign-in: {wire.word(query.get('error_description')) or error}"
        )
        raise SignInFailed(reason, words, error=error)
    code = query.get("code", "")
    if not code:
        raise SignInFailed(Reason.REFUSED, "The provider sent you back without an answer. Connect again.")
    return code
