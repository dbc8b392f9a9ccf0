"""API keys: `wiz_` and 32 base62 characters, of which only a lookup part and a digest are stored."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.scopes import Scope


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def for_caller(self, caller: Caller) -> "ApiKeyQuerySet":
        return self.filter(user_id=caller.user_id)

    def usable(self) -> "ApiKeyQuerySet":
        """Neither revoked nor expired, and of somebody who may still sign in."""
        return self.filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            revoked_at__isnull=True,
            user__is_active=True,
        )


class ApiKey(models.Model):
    """A key of one person with one scope. The key itself is shown once, when it is made.

    A trigger (migration 0002) tells every process at once, on the channel `api_key_revoked`, of any change to what a
    key opens.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    scope = models.CharField(max_length=5, choices=[(scope.value, scope.value) for scope in Scope])
    lookup = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.BinaryField(max_length=32, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    replaced_by = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="replaces"
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        indexes = [models.Index(fields=["user", "-created_at"], name="api_key_by_user")]
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=[scope.value for scope in Scope]), name="api_key_scope")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.shown})"

    @property
    def shown(self) -> str:
        """As much of the key as may be seen again."""
        return f"wiz_{self.lookup}…"

    @property
    def status(self) -> str:
        """One of active, expiring (replaced, within its overlap), expired, revoked."""
        if self.revoked_at:
            return "revoked"
        if self.expires_at and self.expires_at <= timezone.now():
            return "expired"
        return "expiring" if self.replaced_by_id else "active"
