"""The rows of workflows, one module a subject."""

from workflows.models.versions import Publication, Workflow

__all__ = ["Publication", "Workflow"]
