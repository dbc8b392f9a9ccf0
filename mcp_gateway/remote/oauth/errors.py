"""Why a sign-in cannot begin or end: one domain error with a code for each case, in words that say what to do."""

from enum import StrEnum
from typing import Any

import httpx2

from accounts.errors import Conflict, Unavailable
from mcp_gateway.remote.diagnosis import diagnose
from mcp_gateway.remote.line import Witness
from mcp_gateway.remote.oauth.wire import BOUNDS
from security.outbound import OutboundRefused


class Reason(StrEnum):
    """Stable codes: programs and help pages refer to them."""

    # Beginning.
    NO_SIGN_IN = "no_sign_in"
    BAD_METADATA = "bad_metadata"
    REFUSED_ADDRESS = "refused_address"
    RESOURCE_MISMATCH = "resource_mismatch"
    ISSUER_MISMATCH = "issuer_mismatch"
    NO_PKCE = "no_pkce"
    PROVIDER_CHANGED = "provider_changed"
    REGISTRATION_NOT_OFFERED = "registration_not_offered"
    REGISTRATION_REFUSED = "registration_refused"
    DOCUMENTS_NOT_SUPPORTED = "documents_not_supported"
    # Ending.
    UNKNOWN_STATE = "unknown_state"
    EXPIRED = "sign_in_expired"
    OTHER_BROWSER = "other_browser"
    WRONG_ISSUER = "wrong_issuer"
    DENIED = "access_denied"
    REFUSED = "sign_in_refused"
    CLIENT_REFUSED = "invalid_client"


class SignInFailed(Conflict):
    """The sign-in cannot go on. `data["return_to"]` is the path to go back to, where it is known."""

    def __init__(self, reason: Reason, message: str, **data: Any) -> None:
        super().__init__(message, code=reason.value, data=data)
        self.reason = reason


def unreachable(who: str, error: httpx2.HTTPError) -> SignInFailed | Unavailable:
    """The error for a request that was not answered: refused by the guard, or lost on the way."""
    if isinstance(error, OutboundRefused):
        return SignInFailed(Reason.REFUSED_ADDRESS, f"{who} cannot be asked. {error}")
    found = diagnose(error, Witness(failure=error), seconds=BOUNDS.total or 0)
    return Unavailable(f"{who} cannot be asked. {found.message}", code="provider_unavailable")


def busy(who: str, status: int, retry_after: float | None) -> Unavailable:
    return Unavailable(
        f"{who} answers {status}. Try again in a moment.",
        code="provider_unavailable",
        data={"retry_after": retry_after} if retry_after is not None else None,
    )
