"""Where an organization wants to be told of ended executions, and each telling: one row an endpoint and event.

The rows of deliveries are made by the database, in the transaction in which an execution ends (migration 0009).
"""

import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization, User
from agents_hub.models import Agent
from security.fields import EncryptedTextField
from security.identifiers import uuid7
from workflows.engine.states import TERMINAL, Status
from workflows.models.executions import Execution

# The terminal ones, in the order of the table of statuses.
ENDS = [(status.value, status.label) for status in Status if status in TERMINAL]
TEST = "test"


def all_ends() -> list[str]:
    return [value for value, _ in ENDS]


class WebhookEndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def for_caller(self, caller: Caller) -> "WebhookEndpointQuerySet":
        # One membership a person and organization: the join never doubles a row.
        return self.filter(organization__memberships__user_id=caller.user_id)

    def without_secrets(self) -> "WebhookEndpointQuerySet":
        return self.defer("secret", "old_secret")


class WebhookEndpoint(models.Model):
    """An address that events are posted to. After a rotation the old secret signs beside the new one for a while."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="webhook_endpoints")
    url = models.CharField("URL", max_length=2048)
    description = models.CharField(max_length=200, blank=True)
    statuses = ArrayField(models.CharField(max_length=24, choices=ENDS), default=all_ends)
    # Said by itself: were no agents all agents, the one that is deleted last would open the endpoint to the rest.
    every_agent = models.BooleanField(default=True)
    agents = models.ManyToManyField(Agent, blank=True, related_name="+")
    secret = EncryptedTextField()
    old_secret = EncryptedTextField(null=True, blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    # Since when nothing was taken, and why it was switched off where the platform did that.
    failing_since = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=500, blank=True)
    admins_told_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = WebhookEndpointQuerySet.as_manager()

    class Meta:
        indexes = [
            # What the trigger asks for with each end of an execution.
            models.Index(fields=["organization"], condition=Q(enabled=True), name="webhook_endpoint_in_use"),
            models.Index(
                fields=["id"],
                condition=Q(enabled=False, admins_told_at=None) & ~Q(fault=""),
                name="webhook_endpoint_untold",
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def old_secret_counts_until(self) -> datetime | None:
        """None where there is no secret but the last."""
        until = self.old_secret_until
        return until if until is not None and until > timezone.now() else None


class WebhookDelivery(models.Model):
    """One event for one endpoint. `due_at` says when it is tried next; none, and it has come to its end."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DELIVERED = "delivered", "Delivered"
        GIVEN_UP = "given_up", "Given up"

    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    # None for a test.
    execution = models.ForeignKey(Execution, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    message_id = models.UUIDField(default=uuid.uuid4, editable=False, help_text="webhook-id, in each attempt the same.")
    event = models.CharField(max_length=24, help_text="The status that the execution ended with, or test.")
    occurred_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(null=True, blank=True, default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True, help_text="While somebody sends it.")
    # All attempts, which is also the fence of whoever makes one; and those since it was last set going.
    attempts = models.PositiveIntegerField(default=0)
    attempts_in_a_row = models.PositiveIntegerField(default=0)
    attempted_at = models.DateTimeField(null=True, blank=True)
    response_status = models.PositiveSmallIntegerField(null=True, blank=True)
    response_excerpt = models.CharField(max_length=500, blank=True)
    fault = models.CharField(max_length=500, blank=True, help_text="Why the last attempt failed, for people.")
    duration_ms = models.FloatField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", due_at__isnull=False) | (~Q(state="waiting") & Q(due_at=None)),
                name="webhook_delivery_waits_or_ended",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "-id"], name="webhook_delivery_log"),
            models.Index(
                fields=["endpoint", "due_at", "id"], condition=Q(due_at__isnull=False), name="webhook_delivery_due"
            ),
            models.Index(
                fields=["endpoint"], condition=Q(lease_until__isnull=False), name="webhook_delivery_under_way"
            ),
            models.Index(fields=["created_at"], name="webhook_delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.endpoint_id}"

    @property
    def type(self) -> str:
        """The event's type as it is sent."""
        return "webhook.test" if self.event == TEST else f"execution.{self.event}"

    @property
    def webhook_id(self) -> str:
        """The same in each attempt, so that a receiver knows what it has taken already."""
        return f"msg_{self.message_id.hex}"
