"""The rows of security: the append-only audit, and the counters of attempts that every process shares."""

from typing import Protocol

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils import timezone


class Person(Protocol):
    """Whoever looks at the audit: a signed-in user."""

    @property
    def pk(self) -> int: ...
    @property
    def is_staff(self) -> bool: ...


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    def visible_to(self, person: Person) -> "AuditQuerySet":
        """A person's own entries; all of them for those who may use the admin."""
        return self.all() if person.is_staff else self.filter(user_id=person.pk)

    def about(self, target: str) -> "AuditQuerySet":
        """What was done to one thing, newest first, through audit_by_target."""
        return self.filter(target=target).order_by("-id")


class AuditEntry(models.Model):
    """Who did what, from where, and how it ended. Ids are plain numbers so that the entry outlives what it names.

    A trigger (migration 0002) refuses every UPDATE, and every DELETE outside of `manage.py audit prune`.
    """

    class Outcome(models.TextChoices):
        OK = "ok", "OK"
        REFUSED = "refused", "Refused"
        ERROR = "error", "Error"

    at = models.DateTimeField(default=timezone.now)
    user_id = models.BigIntegerField("user", null=True)
    api_key_id = models.BigIntegerField("API key", null=True)
    application_id = models.BigIntegerField("OAuth application", null=True)
    door = models.CharField(max_length=10)
    action = models.CharField(max_length=80)
    tool = models.CharField(max_length=80, blank=True)
    target = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    error_code = models.CharField(max_length=60, blank=True)
    duration_ms = models.FloatField("duration (ms)", null=True)
    ip = models.GenericIPAddressField("IP address", null=True)
    request_id = models.CharField(max_length=64, blank=True)
    detail = models.JSONField(default=dict)

    objects = AuditQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["user_id", "-id"], name="audit_by_user"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(
                fields=["application_id", "-id"],
                name="audit_by_application",
                condition=models.Q(application_id__isnull=False),
            ),
            # What happened to one thing. Calls that name none, most of all, are not in it.
            models.Index(fields=["target", "-id"], name="audit_by_target", condition=~models.Q(target="")),
            # Rows come in by time, so a few pages of summary find the old ones to prune.
            BrinIndex(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.action} {self.outcome}"


class ThrottleCounter(models.Model):
    """How often something was tried in the window that ends at `expires_at`. Used where there is no Redis."""

    key = models.CharField(max_length=200, primary_key=True)
    count = models.PositiveIntegerField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.key}: {self.count}"
