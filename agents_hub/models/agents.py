"""An agent: one row for what people talk to and what workflows run as."""

from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.caller import Caller
from accounts.models import Membership, Organization, Role
from agents_hub.models.search import Trigrams
from agents_hub.models.tenancy import OrganizationQuerySet
from security.identifiers import uuid7


class Stage(models.TextChoices):
    DEVELOPMENT = "development", "In development"
    RELEASED = "released", "Released"


class Audience(models.TextChoices):
    """Who may talk to a released agent."""

    EVERYBODY = "everybody", "Everybody in the organization"
    ADMINS = "admins", "Admins alone"
    CHOSEN = "chosen", "Chosen people, and admins"


# Rounds of tool calls in one answer, and how many an agent can be given.
DEFAULT_TOOL_ROUNDS = 20
MOST_TOOL_ROUNDS = 100


class AgentQuerySet(OrganizationQuerySet["Agent"]):
    def to_talk_to(self, caller: Caller) -> Self:
        """Those that the caller may talk to: released ones by their audience; its maker and admins may always."""
        memberships = Membership.objects.filter(
            organization=OuterRef("organization"), user=caller.user_id, user__is_active=True
        )
        chosen = AgentPerson.objects.filter(agent=OuterRef("pk"), user=caller.user_id)
        is_released = Q(stage=Stage.RELEASED)
        return self.filter(
            Exists(memberships.filter(role=Role.ADMIN))
            | Exists(memberships)
            & (
                Q(created_by=caller.user_id)
                | is_released & Q(audience=Audience.EVERYBODY)
                | is_released & Q(audience=Audience.CHOSEN) & Exists(chosen)
            )
        )


class Agent(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="agents")
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=1000, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # What people talk to.
    instructions = models.TextField(
        blank=True, help_text="Who it is and how it answers. People who talk to it do not see it."
    )
    model = models.CharField(
        max_length=200, blank=True, help_text="provider:model, provider, or nothing for the organization's default."
    )
    temperature = models.FloatField(null=True, blank=True, help_text="0 to 2; empty leaves it to the provider.")
    conversation_starters = models.JSONField(default=list, blank=True, help_text="Questions offered in an empty chat.")
    max_tool_rounds = models.PositiveSmallIntegerField(default=DEFAULT_TOOL_ROUNDS)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.DEVELOPMENT)
    audience = models.CharField(max_length=10, choices=Audience.choices, default=Audience.EVERYBODY)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = AgentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="agent_name_once"),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="agent_stage"),
            models.CheckConstraint(condition=Q(audience__in=Audience.values), name="agent_audience"),
            models.CheckConstraint(
                condition=Q(max_tool_rounds__gte=1, max_tool_rounds__lte=MOST_TOOL_ROUNDS), name="agent_tool_rounds"
            ),
            models.CheckConstraint(
                condition=Q(temperature=None) | Q(temperature__gte=0, temperature__lte=2), name="agent_temperature"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="agent_by_creation"),
            models.Index(fields=["organization", "-updated_at", "-id"], name="agent_by_update"),
            models.Index(fields=["organization", "name", "id"], name="agent_by_name"),
            GinIndex(Trigrams("name"), name="agent_by_part_of_name"),
        ]

    def __str__(self) -> str:
        return self.name


class AgentPerson(models.Model):
    """Somebody chosen to talk to an agent whose audience is chosen people."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="people")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "user"], name="agent_person_once")]

    def __str__(self) -> str:
        return f"{self.user} for {self.agent}"
