"""The rows of workflows, one module a subject."""

from workflows.models.executions import Activity, Checkpoint, Execution, Step, Trigger, UserMessage
from workflows.models.marks import Comment, Label
from workflows.models.versions import Publication, Workflow

__all__ = [
    "Activity",
    "Checkpoint",
    "Comment",
    "Execution",
    "Label",
    "Publication",
    "Step",
    "Trigger",
    "UserMessage",
    "Workflow",
]
