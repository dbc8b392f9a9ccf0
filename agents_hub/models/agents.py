"""An agent: one row for what people talk to and what workflows run as."""

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from accounts.models import Organization
from agents_hub.models.search import Trigrams
from agents_hub.models.tenancy import OrganizationQuerySet
from security.identifiers import uuid7


class AgentQuerySet(OrganizationQuerySet["Agent"]):
    pass


class Agent(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="agents")
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=1000, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="agent_name_once")]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="agent_by_creation"),
            models.Index(fields=["organization", "-updated_at", "-id"], name="agent_by_update"),
            models.Index(fields=["organization", "name", "id"], name="agent_by_name"),
            GinIndex(Trigrams("name"), name="agent_by_part_of_name"),
        ]

    def __str__(self) -> str:
        return self.name
