"""Answers kept for a day under the key their request came with, so that a repeated request acts once."""

from django.conf import settings
from django.db import models

from security.fields import EncryptedTextField
from security.identifiers import uuid7


class KeptAnswer(models.Model):
    """Sealed, for an answer may hold what only its caller may read. Without a status it is being worked on, which only
    the transaction that does so ever sees."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_digest = models.BinaryField(max_length=32, editable=False)
    status = models.PositiveSmallIntegerField(default=0)
    body = EncryptedTextField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["expires_at"], name="kept_answer_due")]

    def __str__(self) -> str:
        return f"{self.status} under {self.key}"
