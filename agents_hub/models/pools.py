"""Pools of profiles: an execution that names a pool is given one of its members."""

from django.db import models
from django.db.models import F

from accounts.models import Organization
from agents_hub.models.profiles import Profile
from agents_hub.models.tenancy import OrganizationQuerySet
from security.identifiers import uuid7


class SelectionStrategy(models.TextChoices):
    LEAST_RECENTLY_USED = "least_recently_used", "Least recently used"
    MOST_RECENTLY_USED = "most_recently_used", "Most recently used"


class ProfilePoolQuerySet(OrganizationQuerySet["ProfilePool"]):
    pass


class ProfilePool(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="profile_pools")
    name = models.CharField(max_length=255)
    selection_strategy = models.CharField(
        max_length=19, choices=SelectionStrategy.choices, default=SelectionStrategy.LEAST_RECENTLY_USED
    )
    allow_concurrent_use = models.BooleanField(default=False)
    profiles = models.ManyToManyField(Profile, through="PoolMembership", related_name="pools")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProfilePoolQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="pool_name_once")]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="pool_by_creation"),
            models.Index(fields=["organization", "name", "id"], name="pool_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class PoolMembership(models.Model):
    """A profile in a pool. `last_used_at` is what the selection strategies go by; empty means never used."""

    pool = models.ForeignKey(ProfilePool, on_delete=models.CASCADE, related_name="memberships")
    profile = models.ForeignKey(Profile, on_delete=models.CASCADE, related_name="pool_memberships")
    added_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pool", "profile"], name="profile_once_in_a_pool")]
        # Whose turn it is: never used, then longest unused; the other strategy reads it from its end.
        indexes = [models.Index("pool", F("last_used_at").asc(nulls_first=True), "id", name="pool_by_turn")]

    def __str__(self) -> str:
        return f"{self.profile} in {self.pool}"
