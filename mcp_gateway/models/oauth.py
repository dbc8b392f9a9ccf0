"""The rows of our sign-in, on django-oauth-toolkit's: clients, codes, tokens, and which person connected what.

All six of the toolkit's models are swapped for ours from the first migration, so that a column can be added to any of
them; the last two, for grants we do not give, stay empty. Codes and tokens are kept as SHA-256 digests alone.
"""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from oauth2_provider.models import (
    AbstractAccessToken,
    AbstractApplication,
    AbstractDeviceGrant,
    AbstractGrant,
    AbstractIDToken,
    AbstractRefreshToken,
)

from accounts.caller import Caller
from accounts.scopes import Scope
from mcp_gateway.models.digests import DigestField
from mcp_gateway.oauth import redirects


class ApplicationManager(models.Manager["Application"]):
    def get_by_natural_key(self, client_id: str) -> "Application":
        return self.get(client_id=client_id)


class Application(AbstractApplication):
    """A client that may ask people to let it in: with a code and PKCE, and in no other way."""

    authorization_grant_type = models.CharField(
        "grant",
        max_length=44,
        choices=[(AbstractApplication.GRANT_AUTHORIZATION_CODE, "Authorization code")],
        default=AbstractApplication.GRANT_AUTHORIZATION_CODE,
    )
    client_uri = models.CharField("home page", max_length=500, blank=True, help_text="As the client states it.")

    objects = ApplicationManager()

    class Meta(AbstractApplication.Meta):
        constraints = [
            models.CheckConstraint(
                condition=models.Q(authorization_grant_type=AbstractApplication.GRANT_AUTHORIZATION_CODE),
                name="application_code_grant_only",
            ),
            models.CheckConstraint(condition=models.Q(skip_authorization=False), name="application_consent_asked"),
        ]
        indexes = [models.Index(fields=["registration_source", "created"], name="application_by_source")]

    def natural_key(self) -> tuple[str]:
        return (self.client_id,)

    @property
    def proven_host(self) -> str:
        """The host that vouches for the client by serving its metadata, if one does."""
        if self.registration_source != self.RegistrationSource.CIMD:
            return ""
        return urlsplit(self.client_id).hostname or ""

    @property
    def stated_host(self) -> str:
        """The host the client says it comes from, which nobody has checked."""
        return urlsplit(self.client_uri).hostname or ""

    def get_allowed_schemes(self) -> list[str]:
        return redirects.schemes()

    def clean(self) -> None:
        super().clean()
        faults = [fault for uri in self.redirect_uris.split() if (fault := redirects.fault(uri))]
        if faults:
            raise ValidationError({"redirect_uris": faults})


class Grant(AbstractGrant):
    """An authorization code. Once redeemed it stays for a day, so that a second redeeming is recognised."""

    code = DigestField(unique=True)
    redeemed_at = models.DateTimeField(null=True, blank=True)
    token_family = models.UUIDField(null=True, blank=True, editable=False)

    class Meta(AbstractGrant.Meta):
        indexes = [models.Index(fields=["expires"], name="grant_by_expiry")]


class AccessToken(AbstractAccessToken):
    class Meta(AbstractAccessToken.Meta):
        indexes = [models.Index(fields=["expires"], name="access_token_by_expiry")]


class RefreshToken(AbstractRefreshToken):
    """One of a family that descends from one code; each is good for one rotation."""

    family_began_at = models.DateTimeField(help_text="When the person consented: the family ends a fixed time later.")
    successor = models.BinaryField(
        null=True, editable=False, help_text="The next pair of tokens, sealed under this one, for a short grace."
    )
    successor_until = models.DateTimeField(null=True, blank=True)

    class Meta(AbstractRefreshToken.Meta):
        indexes = [models.Index(fields=["token_family"], name="refresh_token_by_family")]

    @classmethod
    def revoke_live(cls, **whose: Any) -> None:
        """Revoke what is live among `whose`, and the successor of whatever is being refreshed at this moment.

        An update waits for a refresh that holds the token, and then passes over it as rotated; the successor, which
        was not there when the update began, it never sees. So it is done again until nothing live is there. A refresh
        that has not committed holds a token which still counts as live, so that none is missed.
        """
        live = cls.objects.filter(**whose, revoked__isnull=True)
        while live.exists():
            now = timezone.now()
            live.update(revoked=now, updated=now)

    @classmethod
    def revoke_family(cls, token_family: UUID | None) -> None:
        """End the family: its refresh tokens, and the access tokens that came with them."""
        if token_family is not None:
            cls.revoke_live(token_family=token_family)
            super().revoke_family(token_family)


class IDToken(AbstractIDToken):
    """Never issued: OpenID Connect is not offered. Here because the toolkit's tokens point to it."""

    class Meta(AbstractIDToken.Meta):
        verbose_name = "ID token"


class DeviceGrant(AbstractDeviceGrant):
    """Never issued: the device flow is not offered."""


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def for_caller(self, caller: Caller) -> "ConnectionQuerySet":
        return self.filter(user_id=caller.user_id)


class Connection(models.Model):
    """A person's standing consent to a client: what its settings page lists and ends."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="connections")
    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="connections")
    scope = models.CharField(max_length=10, choices=[(scope.value, scope.value) for scope in Scope])
    connected_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "application"], name="connection_once")]

    def __str__(self) -> str:
        return f"{self.user} through {self.application}"
