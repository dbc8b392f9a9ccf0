"""Providers of models, an operator's own prices, and what each call used."""

from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import Organization
from security.fields import EncryptedTextField


class Kind(models.TextChoices):
    OPENAI = "openai", "OpenAI"
    ANTHROPIC = "anthropic", "Anthropic"
    GOOGLE = "google", "Google"
    COMPATIBLE = "compatible", "OpenAI-compatible"


class ProviderQuerySet(models.QuerySet["Provider"]):
    def for_caller(self, caller: Caller) -> "ProviderQuerySet":
        # One membership a person and organization: the join never doubles a row.
        return self.filter(organization__memberships__user_id=caller.user_id)

    def meant_by(self, model: str) -> "Provider | None":
        """The enabled one that `provider:model` names; where it names none the default one, else the oldest."""
        name, enabled = model.partition(":")[0], self.filter(enabled=True)
        return (enabled.filter(name=name) if name else enabled.order_by("-is_default", "id")).first()


class Provider(models.Model):
    """Where an organization's models are: a provider's name is the first half of `provider:model`."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="model_providers")
    name = models.SlugField(max_length=40, help_text="What stands before the colon in a model's name.")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    base_url = models.CharField(
        "base URL", max_length=2000, blank=True, help_text="For OpenAI-compatible servers, such as Ollama or vLLM."
    )
    api_key = EncryptedTextField("API key", null=True, blank=True)
    default_model = models.CharField(max_length=160, help_text="Asked where a node or agent names no model.")
    fallback_model = models.CharField(
        max_length=200, blank=True, help_text="provider:model, asked where this provider does not answer."
    )
    context_window = models.PositiveIntegerField(
        null=True, blank=True, help_text="Tokens that its models take, where nobody else knows it."
    )
    is_default = models.BooleanField(default=False, help_text="Asked where no provider is named either.")
    enabled = models.BooleanField(default=True)
    tested_at = models.DateTimeField(null=True, blank=True)
    # What was wrong; empty once a test went well.
    test_result = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="provider_name_once"),
            models.UniqueConstraint(
                fields=["organization"], condition=Q(is_default=True), name="provider_default_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="provider_kind"),
            models.CheckConstraint(
                condition=~Q(kind=Kind.COMPATIBLE) | ~Q(base_url=""), name="provider_compatible_has_url"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """What an operator says a model costs, in US dollars for a million tokens. It goes before the library's list."""

    model = models.CharField(max_length=200, unique=True, help_text="provider kind:model, such as openai:gpt-5.")
    input_usd = models.DecimalField(max_digits=12, decimal_places=6)
    cached_input_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    output_usd = models.DecimalField(max_digits=12, decimal_places=6)

    def __str__(self) -> str:
        return self.model


class Budget(models.Model):
    """What an organization may spend on models in a calendar month (UTC)."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="model_budget")
    monthly_usd = models.DecimalField(max_digits=12, decimal_places=2)

    def __str__(self) -> str:
        return f"{self.organization}: ${self.monthly_usd}"


class ModelCall(models.Model):
    """One answer of a model and what it used. Kept for the accounts; it holds no words."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="model_calls")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    model = models.CharField(max_length=200, help_text="provider:model, as asked.")
    product = models.SlugField(max_length=20, help_text="What asked: workflows, chat.")
    subject = models.CharField(max_length=64, blank=True, help_text="The id of the execution or conversation.")
    at = models.DateTimeField(default=timezone.now)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0, help_text="Of the input, those read from a cache.")
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(
        max_digits=14, decimal_places=8, null=True, blank=True, help_text="None where nobody knows the price."
    )
    duration_ms = models.FloatField()

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="model_call_by_time"),
            models.Index(fields=["subject"], condition=~Q(subject=""), name="model_call_by_subject"),
            # Rows come in by time, so a few pages of summary find the old ones to sum up.
            BrinIndex(fields=["at"], name="model_call_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.model} at {self.at:%Y-%m-%d %H:%M}"


class ModelDay(models.Model):
    """The calls of one day (UTC) that are not kept one by one any more, summed up for the accounts."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="model_days")
    day = models.DateField()
    model = models.CharField(max_length=200)
    product = models.SlugField(max_length=20, db_index=False)
    calls = models.PositiveBigIntegerField()
    unpriced = models.PositiveBigIntegerField(help_text="Of the calls, those whose price nobody knew.")
    input_tokens = models.PositiveBigIntegerField()
    cached_tokens = models.PositiveBigIntegerField()
    output_tokens = models.PositiveBigIntegerField()
    cost_usd = models.DecimalField(max_digits=18, decimal_places=8)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "day", "model", "product"], name="model_day_once"),
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.day}"
