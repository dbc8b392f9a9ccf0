"""Where django-oauth-toolkit's answers are not strict enough: codes, refreshing, resources, people who are gone.

It runs inside one transaction a token request (`mcp_gateway.oauth.token_views`), so that the locks taken here hold
until the answer is settled. What it refuses is committed too: a replay has to end the family it belongs to.
"""

import uuid
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauthlib.common import Request

from accounts.models import Membership, User
from mcp_gateway.models import AccessToken, Application, Grant, RefreshToken
from mcp_gateway.models.digests import digest
from mcp_gateway.oauth import connections, resources, successor
from mcp_gateway.oauth.events import Event, note
from mcp_gateway.oauth.scopes import with_those_below

IDLE = timedelta(days=30)
ABSOLUTE = timedelta(days=180)


class Validator(OAuth2Validator):
    # Codes ---------------------------------------------------------------------------------------------------------

    def _create_authorization_code(self, request: Request, code: dict[str, str], expires: Any = None) -> Grant:
        asked = getattr(request, "resource", None) or []
        request.resource = self._bound([asked] if isinstance(asked, str) else asked, request)
        request.scopes = with_those_below(request.scopes)
        grant: Grant = super()._create_authorization_code(request, code, expires)
        return grant

    def validate_code(
        self, client_id: str, code: str, client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Whether the code may be redeemed. A second try ends everything that came of the first."""
        grant = (
            Grant.objects.select_for_update(of=("self",))
            .select_related("user")
            .filter(code=code, application=client)
            .first()
        )
        if grant is None:
            return False
        if grant.redeemed_at is not None:
            RefreshToken.revoke_family(grant.token_family)
            note(Event.CODE_REPLAYED, request, grant.user_id, client)
            return False
        if not may_connect(grant.user_id):
            return False
        return bool(super().validate_code(client_id, code, client, request, *args, **kwargs))

    def invalidate_authorization_code(
        self, client_id: str, code: str, request: Request, *args: Any, **kwargs: Any
    ) -> None:
        """Mark the code as used. It stays, with the family it began, until nobody can hope to replay it."""
        Grant.objects.filter(code=code, application=request.client).update(
            redeemed_at=timezone.now(), token_family=request.token_family
        )

    # Refreshing ----------------------------------------------------------------------------------------------------

    def validate_refresh_token(
        self, refresh_token: str, client: Application, request: Request, *args: Any, **kwargs: Any
    ) -> bool:
        """Whether the token may be refreshed: as the newest of its family, or as the one before, within the grace."""
        row = (
            RefreshToken.objects.select_for_update(of=("self",))
            .filter(token_checksum=digest(refresh_token))
            .order_by(F("revoked").desc(nulls_first=True))
            .first()
        )
        if row is None:
            note(Event.REFRESH_REFUSED, request, 0, client, why="unknown")
            return False
        if row.application_id != client.pk:
            return self._refuse_refresh(row, request, client, "another_client")
        if not may_connect(row.user_id):
            RefreshToken.revoke_family(row.token_family)
            return self._refuse_refresh(row, request, client, "person_gone")
        if row.revoked is not None:
            pair = successor.of(row, refresh_token)
            if pair is None:
                RefreshToken.revoke_family(row.token_family)
                return self._refuse_refresh(row, request, client, "replayed")
            request.user, request.refresh_token = row.user, refresh_token
            request.refresh_token_instance, request.successor = row, pair
            return True
        if row.family_began_at + ABSOLUTE <= timezone.now() or row.created + IDLE <= timezone.now():
            RefreshToken.revoke_family(row.token_family)
            return self._refuse_refresh(row, request, client, "expired")
        if super().validate_refresh_token(refresh_token, client, request, *args, **kwargs):
            return True
        return self._refuse_refresh(row, request, client, "ended")

    def _refuse_refresh(self, row: RefreshToken, request: Request, client: Application, why: str) -> bool:
        note(Event.REFRESH_REFUSED, request, row.user_id, client, why=why)
        return False

    def get_original_scopes(self, refresh_token: str, request: Request, *args: Any, **kwargs: Any) -> Any:
        if (pair := _successor(request)) is not None:
            return pair.scope
        return super().get_original_scopes(refresh_token, request, *args, **kwargs)

    # Issuing -------------------------------------------------------------------------------------------------------

    def _check_and_set_request_resource(self, request: Request) -> None:
        """Bring resources into one spelling before the toolkit compares them, and leave none unbound after."""
        asked = [value for name, value in request.decoded_body or [] if name == "resource"]
        request.resource = self._bound(asked, request) if asked else []
        super()._check_and_set_request_resource(request)
        request.resource = self._bound(request.resource, request)

    def _save_bearer_token(self, token: dict[str, Any], request: Request, *args: Any, **kwargs: Any) -> None:
        if (pair := _successor(request)) is not None:
            token |= {"access_token": pair.access_token, "refresh_token": pair.refresh_token, "scope": pair.scope}
            token["expires_in"] = pair.seconds_left(timezone.now())
            return
        rotated = getattr(request, "refresh_token_instance", None)
        super()._save_bearer_token(token, request, *args, **kwargs)
        if rotated is not None:
            self._keep_successor(rotated, token, request.refresh_token)
        else:
            connections.remember(request.user, request.client, token["scope"])
            note(Event.GRANTED, request, request.user.pk, request.client, scope=token["scope"])

    def _keep_successor(self, rotated: RefreshToken, token: dict[str, Any], text: str) -> None:
        now = timezone.now()
        pair = successor.Pair(
            access_token=token["access_token"],
            refresh_token=token["refresh_token"],
            scope=token["scope"],
            expires_at=(now + timedelta(seconds=token["expires_in"])).isoformat(),
        )
        RefreshToken.objects.filter(pk=rotated.pk).update(
            successor=successor.seal(pair, text), successor_until=now + successor.GRACE
        )

    def _create_refresh_token(
        self, request: Request, text: str, access_token: AccessToken, previous: RefreshToken | None
    ) -> RefreshToken:
        row = RefreshToken(
            user=request.user,
            application=request.client,
            access_token=access_token,
            token_family=previous.token_family if previous else uuid.uuid4(),
            family_began_at=previous.family_began_at if previous else timezone.now(),
            resource=request.resource,
        )
        self._set_token_value(row, text)
        row.save()
        request.token_family = row.token_family
        return row

    def revoke_token(self, token: str, token_type_hint: str, request: Request, *args: Any, **kwargs: Any) -> None:
        """End the token's whole family, whichever of the two kinds it is (RFC 7009)."""
        checksum, client = digest(token), request.client
        row = (
            RefreshToken.objects.filter(application=client, token_checksum=checksum).first()
            or RefreshToken.objects.filter(application=client, access_token__token_checksum=checksum).first()
        )
        if row is None:
            return
        RefreshToken.revoke_family(row.token_family)
        note(Event.REVOKED, request, row.user_id, client)

    def _bound(self, asked: list[str], request: Request) -> list[str]:
        try:
            return resources.bound(asked)
        except resources.InvalidTarget:
            raise resources.InvalidTarget(request=request, state=getattr(request, "state", None)) from None


def may_connect(user_id: int) -> bool:
    """Whether a client may act for the person at all: active, and in an organization still."""
    belongs = Membership.objects.filter(user_id=OuterRef("pk"))
    return User.objects.filter(Exists(belongs), pk=user_id, is_active=True).exists()


def _successor(request: Request) -> successor.Pair | None:
    return getattr(request, "successor", None)
