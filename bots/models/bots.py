"""A bot: its owner, its credentials at Discord and whether Discord still accepts them."""

from django.conf import settings
from django.db import models

from bots.models.tenancy import OwnedQuerySet
from security.fields import EncryptedTextField


class BotQuerySet(OwnedQuerySet["Bot"]):
    owner_path = "owner_id"


class Bot(models.Model):
    """One Discord application. What it may do at Discord follows from its token, which is never shown again."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        UNAUTHORIZED = "unauthorized", "Token refused"
        DISABLED = "disabled", "Switched off"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="bots")
    name = models.CharField(max_length=100)
    application_id = models.BigIntegerField("Discord application id")
    public_key = models.CharField(max_length=64, blank=True, help_text="Hexadecimal; verifies Discord's interactions.")
    token = EncryptedTextField()
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.ACTIVE)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    sandbox = models.BooleanField(
        default=False, help_text="Acts in the sandbox Discord, where nobody is really banned."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BotQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "application_id"], name="bot_once_per_owner"),
            models.CheckConstraint(condition=models.Q(application_id__gt=0), name="bot_application_id_positive"),
            models.CheckConstraint(
                condition=models.Q(status__in=["active", "unauthorized", "disabled"]), name="bot_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name
