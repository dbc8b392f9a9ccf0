"""The files of an execution: given to it, made by it, and the agent's shared ones as it found them."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import Organization
from agents_hub.models.files import FileQuerySet, StoredContent
from security.identifiers import uuid7
from workflows.models.executions import Execution


class Directory(models.TextChoices):
    UPLOADS = "uploads", "Uploads"
    DOWNLOADS = "downloads", "Downloads"
    WORKSPACE = "workspace", "Workspace"
    SHARED = "shared", "Shared"
    DEBUG = "debug", "Debug"


class Maker(models.TextChoices):
    USER = "user", "A person"
    AGENT = "agent", "The agent"
    ENVIRONMENT = "environment", "The environment"
    SYSTEM = "system", "The platform"


class ExecutionFileQuerySet(FileQuerySet["ExecutionFile"]):
    def counted(self) -> Self:
        return self.filter(is_borrowed=False)


class ExecutionFile(StoredContent):
    """A file that an execution has. Those in `shared` are the agent's, as they were when it began.

    Content may be another row's as well: a shared file and what executions have of it name the same, until one of them
    is written.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="files")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    directory = models.CharField(max_length=9, choices=Directory.choices)
    created_by = models.CharField(max_length=11, choices=Maker.choices)
    updated_at = models.DateTimeField(auto_now=True)
    storage_name = models.CharField(max_length=200, db_index=True, editable=False)
    is_borrowed = models.BooleanField(default=False, help_text="Its content is a shared file's, and counts there.")
    is_to_be_shared = models.BooleanField(default=False, help_text="To be written back once the execution has ended.")

    objects = ExecutionFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["execution", "directory", "name"], name="execution_file_name_once"),
            models.CheckConstraint(condition=Q(directory__in=Directory.values), name="execution_file_directory"),
        ]
        indexes = [
            # What an organization's files take up, from the index alone.
            models.Index(
                fields=["organization"], include=["size"], condition=Q(is_borrowed=False), name="execution_file_sizes"
            ),
            models.Index(fields=["execution"], condition=Q(is_to_be_shared=True), name="execution_file_to_share"),
        ]

    @property
    def path(self) -> str:
        return f"{self.directory}/{self.name}"
