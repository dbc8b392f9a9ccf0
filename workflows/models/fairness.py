"""What is remembered so that workers are given out fairly."""

from django.db import models

from accounts.models import Organization


class LastServed(models.Model):
    """When an organization's executions last got a worker: among equals, whoever was served longest ago is next."""

    organization = models.OneToOneField(Organization, primary_key=True, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "last served"

    def __str__(self) -> str:
        return f"Organization {self.organization_id} at {self.at:%Y-%m-%d %H:%M:%S}"
