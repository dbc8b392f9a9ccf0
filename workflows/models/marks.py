"""What people note about executions: labels of their organization's, and comments."""

from django.db import models

from accounts.models import Organization, User
from security.identifiers import uuid7
from workflows.models.executions import Execution


class Label(models.Model):
    """A label an organization gives to executions. `color` is written like #1f6feb."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="execution_labels")
    name = models.CharField(max_length=50)
    color = models.CharField(max_length=7, default="#6e7781")
    created_at = models.DateTimeField(auto_now_add=True)
    executions = models.ManyToManyField(Execution, related_name="labels")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="label_name_once")]

    def __str__(self) -> str:
        return self.name


class Comment(models.Model):
    """What somebody wrote about an execution. A public one may be shown to people outside of the organization."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="comments")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    content = models.TextField()
    public = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["execution", "id"], name="comment_by_execution")]

    def __str__(self) -> str:
        return f"{self.user} on {self.execution_id}"
