"""The rows of workflows, one module a subject."""

from workflows.models.executions import Activity, Checkpoint, Execution, Step, Trigger, UserMessage
from workflows.models.fairness import LastServed
from workflows.models.files import Directory, ExecutionFile, Maker
from workflows.models.marks import Comment, Label
from workflows.models.schedules import Schedule, ScheduleRun
from workflows.models.versions import Publication, Workflow
from workflows.models.webhooks import WebhookDelivery, WebhookEndpoint

__all__ = [
    "Activity",
    "Checkpoint",
    "Comment",
    "Directory",
    "Execution",
    "ExecutionFile",
    "Label",
    "LastServed",
    "Maker",
    "Publication",
    "Schedule",
    "ScheduleRun",
    "Step",
    "Trigger",
    "UserMessage",
    "WebhookDelivery",
    "WebhookEndpoint",
    "Workflow",
]
