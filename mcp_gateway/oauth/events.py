"""What our sign-in leaves in the audit: consents, grants, refreshes that were refused, and ends."""

from enum import StrEnum

from oauthlib.common import Request

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from mcp_gateway.models import Application
from security import audit, request_id
from security.audit import Outcome


class Event(StrEnum):
    GRANTED = "oauth.grant"
    CODE_REPLAYED = "oauth.code_replayed"
    REFRESH_REFUSED = "oauth.refresh"
    REVOKED = "oauth.revoke"

    @property
    def outcome(self) -> Outcome:
        return Outcome.REFUSED if self in {Event.CODE_REPLAYED, Event.REFRESH_REFUSED} else Outcome.OK


def note(event: Event, request: Request, user_id: int, application: Application, **detail: str) -> None:
    """Record what a client did at the token or revocation endpoint, in the transaction that is open."""
    caller = Caller(
        user_id=user_id,
        scope=Scope.READ,
        door=Door.MCP,
        application_id=application.pk,
        ip=request.headers.get("REMOTE_ADDR", ""),
        request_id=request_id.current(),
    )
    audit.record(
        event.value,
        caller=caller,
        outcome=event.outcome,
        error_code=detail.pop("why", ""),
        target=target(application),
        detail={"client": str(application), **detail},
    )


def target(application: Application) -> str:
    return f"application:{application.pk}"
