"""Files: shared by an agent's executions, or staged for one that has not begun. Rows here; content in the storage."""

from typing import Any, Self, TypeVar, cast

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Organization
from agents_hub.models.agents import Agent
from agents_hub.models.tenancy import OrganizationQuerySet
from security.identifiers import uuid7

F = TypeVar("F", bound=models.Model)


class FileQuerySet(OrganizationQuerySet[F]):
    def counted(self) -> Self:
        """Those whose content counts against what the organization's files may take up."""
        return self.all()


class StoredContent(models.Model):
    """What every kind of file knows of its content. `storage_name` is where it lies and is shown to nobody."""

    name = models.CharField(max_length=255)
    mime_type = models.CharField("MIME type", max_length=127)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    storage_name = models.CharField(max_length=200, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name


def kinds_of_files() -> "dict[str, FileQuerySet[Any]]":
    """All rows that name content, by the names of their models; those of products above this one as well."""
    kinds = StoredContent.__subclasses__()
    return {str(kind._meta.model_name): cast("FileQuerySet[Any]", kind._default_manager.all()) for kind in kinds}


class SharedFileQuerySet(FileQuerySet["SharedFile"]):
    organization_path = "agent__organization"


class SharedFile(StoredContent):
    """A file that executions of an agent see: all of them, or those that were started with its storage's key.

    Frozen, the agent may not change it; people may.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="shared_files")
    storage_key = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        help_text="sharedStorageKey of the executions that share it; empty, all others.",
    )
    version = models.PositiveIntegerField(default=1)
    is_frozen = models.BooleanField(default=False)
    last_modified_by_execution_id = models.UUIDField(null=True, blank=True, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SharedFileQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "storage_key", "name"], name="shared_file_name_once")]


class StagedFileQuerySet(FileQuerySet["StagedFile"]):
    pass


class StagedFile(StoredContent):
    """A file waiting for an execution to take it. Gone after an hour."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="staged_files")
    staged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    expires_at = models.DateTimeField()

    objects = StagedFileQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="staged_file_due")]
