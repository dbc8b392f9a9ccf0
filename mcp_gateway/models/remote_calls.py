"""What was asked of remote servers: one row a call, kept for a month, for the server's page."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from mcp_gateway.models.remote_servers import RemoteServer


class RemoteCall(models.Model):
    class Outcome(models.TextChoices):
        OK = "ok", "Done"
        TOOL_ERROR = "tool_error", "The tool reported an error"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    server = models.ForeignKey(RemoteServer, on_delete=models.CASCADE, related_name="calls")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    tool = models.CharField(max_length=500)
    at = models.DateTimeField(default=timezone.now)
    duration_ms = models.FloatField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    error_code = models.CharField(max_length=60, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["server", "-at", "-id"], name="remote_call_by_server"),
            models.Index(fields=["at"], name="remote_call_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.outcome}"
