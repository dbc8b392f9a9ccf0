"""Asking a provider for tokens, and reading what it answers: one exchange each, no database.

RFC 6749 says how an answer looks, and real ones differ: a missing or quoted expiry, a token type in odd case, scopes as
a list or with commas, an empty refresh token, refusals under a status of 200, forms where JSON was asked for, error
pages in HTML. All of these are understood here, so that nobody after this has to.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx2

from mcp_gateway.remote.oauth import wire
from mcp_gateway.remote.oauth.provider import Provider

# Refusals that some providers call otherwise than RFC 6749 section 5.2 does: GitHub's and Slack's names.
SAME_AS = {
    "bad_refresh_token": "invalid_grant",
    "invalid_refresh_token": "invalid_grant",
    "token_revoked": "invalid_grant",
    "token_expired": "invalid_grant",
    "bad_verification_code": "invalid_grant",
    "invalid_code": "invalid_grant",
    "incorrect_client_credentials": "invalid_client",
    "bad_client_secret": "invalid_client",
    "invalid_client_id": "invalid_client",
}
LONGEST_TOKEN = 65_536
# A year: what claims to live longer is asked about after that.
LONGEST_SECONDS = 31_536_000
# What a header can carry (RFC 6750 section 2.1 is narrower; providers are not).
HEADER_SAFE = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What a provider gave. `expires_in` is in seconds, None where it did not say; `scope` is separated by spaces, and
    empty where it did not say, which means as asked for (RFC 6749 section 5.1)."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    scope: str = ""
    token_type: str = "Bearer"  # noqa: S105 - a word of RFC 6750


class TokenError(Exception):
    """There are no tokens in the answer, or there is no answer."""


class TokenRefused(TokenError):  # noqa: N818 - the words of the outcome
    """The provider understood and said no. `error` is RFC 6749's code where there is one for it."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(f"{error}: {description}" if description else error)
        self.error = error
        self.description = description
        self.status = status


class ProviderUnavailable(TokenError):  # noqa: N818 - the words of the outcome
    """No answer that says anything about the tokens: the network, a fault of the provider's, too many requests."""

    def __init__(self, reason: str, retry_after: float | None = None, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.status = status


async def redeem_code(provider: Provider, code: str, *, verifier: str, redirect_uri: str) -> TokenAnswer:
    """The tokens for an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

    Raises `TokenRefused` or `ProviderUnavailable`.
    """
    return await _redeem(
        provider,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        },
    )


async def redeem_refresh(provider: Provider, refresh_token: str) -> TokenAnswer:
    """New tokens for a refresh token (RFC 6749 section 6), asked for once.

    The answer's `refresh_token` is None where the provider keeps the old one valid. Raises `TokenRefused` or
    `ProviderUnavailable`; after the latter the refresh token may or may not have been spent.
    """
    return await _redeem(provider, {"grant_type": "refresh_token", "refresh_token": refresh_token})


async def _redeem(provider: Provider, form: Mapping[str, str]) -> TokenAnswer:
    try:
        response = await wire.submit(
            provider["token_endpoint"], {**form, "resource": provider["resource"]}, provider["client"]
        )
    except httpx2.HTTPError as error:
        raise ProviderUnavailable(str(error) or type(error).__name__) from error
    return read(response)


def read(response: httpx2.Response) -> TokenAnswer:
    """What a token endpoint answered. Raises `TokenRefused` or `ProviderUnavailable`."""
    status = response.status_code
    if status == 429 or status >= 500:
        raise ProviderUnavailable(f"The provider answers {status}.", wire.retry_after(response), status)
    members = wire.members(response)
    if refusal := wire.word(members.get("error")):
        description = wire.word(members.get("error_description")) or wire.word(members.get("message"))
        if refusal in ("temporarily_unavailable", "server_error", "slow_down", "ratelimited"):
            raise ProviderUnavailable(f"The provider answers {refusal}.", wire.retry_after(response), status)
        raise TokenRefused(SAME_AS.get(refusal, refusal), description, status)
    if not response.is_success:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip() or "nothing readable"
        raise ProviderUnavailable(f"The provider answers {status} with {kind}.", wire.retry_after(response), status)
    access_token = _token(members.get("access_token"))
    if access_token is None:
        raise ProviderUnavailable("The provider's answer holds no access token.", status=status)
    return TokenAnswer(
        access_token=access_token,
        refresh_token=_token(members.get("refresh_token")),
        expires_in=_seconds(members.get("expires_in")),
        scope=_scope(members.get("scope")),
        token_type=_kind(members.get("token_type")),
    )


def _token(value: object) -> str | None:
    """A token that fits into a header, None for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= LONGEST_TOKEN and HEADER_SAFE.fullmatch(text) else None


def _seconds(value: object) -> int | None:
    """A lifetime in whole seconds. What is no positive number says nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return min(int(seconds), LONGEST_SECONDS) if math.isfinite(seconds) and seconds >= 1 else None


def _scope(value: object) -> str:
    """Scopes separated by spaces, from a text, a text with commas, or a list."""
    parts = value if isinstance(value, list) else [value]
    words = [word for part in parts if isinstance(part, str) for word in re.split(r"[\s,]+", part) if word]
    return " ".join(dict.fromkeys(words))


def _kind(value: object) -> str:
    text = wire.word(value)
    return "Bearer" if text.lower() in ("", "bearer") else text
