"""Whether an access token opens a resource now. Asked at every request: what ended, ends at once."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Subquery
from django.utils import timezone

from accounts.models import Membership
from accounts.scopes import Scope
from mcp_gateway.models import AccessToken, Connection
from mcp_gateway.models.digests import digest
from mcp_gateway.oauth import resources
from mcp_gateway.oauth.connections import NOTED_EVERY
from mcp_gateway.oauth.scopes import widest
from mcp_gateway.oauth.token_format import ACCESS


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    user_id: int
    application_id: int
    scope: Scope


def verify(text: str, path: str) -> VerifiedToken | None:
    """Whose token it is and how far it reaches, in one query; nothing for one that is unknown, expired, revoked, bound
    to nothing or to something else, or of a person who was deactivated or has left every organization."""
    if not text.startswith(ACCESS):
        return None
    now = timezone.now()
    connection = Connection.objects.filter(user=OuterRef("user"), application=OuterRef("application"))
    row = (
        AccessToken.objects.filter(
            Exists(Membership.objects.filter(user=OuterRef("user"))),
            token_checksum=digest(text),
            expires__gt=now,
            user__is_active=True,
        )
        .annotate(used_at=Subquery(connection.values("last_used_at")[:1]))
        .values_list("user_id", "application_id", "scope", "resource", "used_at")
        .first()
    )
    if row is None:
        return None
    user_id, application_id, names, bound_to, used_at = row
    scope = widest(names.split())
    if scope is None or user_id is None or application_id is None or bound_to != [resources.uri(path)]:
        return None
    if used_at is None or used_at <= now - NOTED_EVERY:
        Connection.objects.filter(user_id=user_id, application_id=application_id).update(last_used_at=now)
    return VerifiedToken(user_id, application_id, scope)
