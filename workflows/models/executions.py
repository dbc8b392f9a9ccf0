"""An execution and what it has done: its position, steps, activities, and what people asked of it.

These rows are the truth. A worker holds an execution by a lease under a fence that grows with each claim, and commits
each step only while the fence is still its own; whoever was overtaken finds out at its next commit and stops.
"""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Caller
from accounts.models import ApiKey, Organization, User
from agents_hub.models import Agent, Profile, ProfilePool
from security.identifiers import uuid7
from workflows.engine.states import ACTIVE, LIVE, Status
from workflows.models.versions import Workflow


class Trigger(models.TextChoices):
    API = "api", "API"
    UI = "ui", "Page"
    SCHEDULE = "schedule", "Schedule"


class ExecutionQuerySet(models.QuerySet["Execution"]):
    def for_caller(self, caller: Caller) -> "ExecutionQuerySet":
        """Those of the organizations the caller belongs to."""
        # One membership a person and organization: the join never doubles a row.
        return self.filter(organization__memberships__user_id=caller.user_id)


class Execution(models.Model):
    """One run of one version. Everything a worker needs in order to go on from here is in this row and its steps."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="executions")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="executions")
    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="executions")
    status = models.CharField(max_length=24, choices=Status.choices, default=Status.STARTING)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True, help_text="When a worker first took it up.")
    terminal_at = models.DateTimeField(null=True, blank=True)

    # What it was started with.
    inputs = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True, help_text="Text by name, the caller's own.")
    options = models.JSONField(default=dict, blank=True, help_text="executionOptions as given.")
    profile = models.ForeignKey(Profile, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    pool = models.ForeignKey(ProfilePool, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reruns")
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.API)
    runner = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="executions")
    api_key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    schedule_id = models.UUIDField(null=True, blank=True, editable=False)
    cron_expression = models.CharField(max_length=100, blank=True)

    # Where it stands. `step_count` numbers the steps, `activity_count` the activities: both grow in the transaction
    # that writes them, so that numbers are without gaps and in the order in which they were committed.
    node_id = models.CharField(max_length=100, blank=True)
    variables = models.JSONField(default=dict, blank=True)
    step_count = models.PositiveIntegerField(default=0)
    activity_count = models.PositiveIntegerField(default=0)
    # Seconds that counted against max_timeout_mins so far; waiting for people does not.
    active_seconds = models.FloatField(default=0)
    # What it waits for: {"reason": …} with "questions" where the agent asks, or "transitionId" to be confirmed.
    waiting_for = models.JSONField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True, help_text="When what it waits for has had its time.")

    # What people want of it; a worker sees it between steps, and is woken by a notice.
    wanted = models.CharField(max_length=24, choices=Status.choices, blank=True)
    sync_to = models.ForeignKey(Workflow, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    # Who holds it.
    admitted_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was given one of the places to run in."
    )
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0, help_text="Claims since the last step was committed.")

    # How it ended.
    outcome = models.CharField(max_length=30, blank=True)
    reasoning = models.TextField(blank=True)
    result = models.JSONField(null=True, blank=True)
    result_id = models.UUIDField(null=True, blank=True, editable=False)
    failure = models.TextField(blank=True, help_text="Why it failed, for people.")

    objects = ExecutionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="execution_status"),
            models.CheckConstraint(
                condition=Q(terminal_at__isnull=True, status__in=LIVE) | Q(terminal_at__isnull=False),
                name="execution_ended_or_live",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="execution_by_creation"),
            models.Index(fields=["organization", "status", "id"], name="execution_by_state"),
            models.Index(fields=["agent", "-created_at", "-id"], name="execution_by_agent"),
            # The few that have a place among the many that have ended or wait for one: what the sweep reads, and who
            # gives places and workers out. Without the lease: a step's commit changes no index, and its row stays in
            # its page (a HOT update).
            models.Index(
                fields=["id"], condition=Q(status__in=ACTIVE, admitted_at__isnull=False), name="execution_placed"
            ),
            # Those that wait for a place, so that the first ones of each agent are found whatever stands behind them.
            models.Index(
                fields=["organization", "agent", "created_at", "id"],
                condition=Q(status__in=ACTIVE, admitted_at__isnull=True),
                name="execution_to_admit",
            ),
            GinIndex(fields=["metadata"], opclasses=["jsonb_path_ops"], name="execution_by_metadata"),
            models.Index(fields=["terminal_at"], condition=Q(terminal_at__isnull=False), name="execution_by_end"),
            models.Index(fields=["wake_at"], condition=Q(wake_at__isnull=False), name="execution_to_wake"),
        ]

    def __str__(self) -> str:
        return f"Execution {self.pk}"

    @property
    def state(self) -> Status:
        return Status(self.status)

    @property
    def storage_key(self) -> str:
        """Which of the agent's storages of shared files it has; empty, the common one."""
        return str(self.options.get("sharedStorageKey") or "")


class Step(models.Model):
    """One visit of a node, committed with all that it brought about. A number is taken once: nothing runs twice."""

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    node_id = models.CharField(max_length=100)
    node_name = models.CharField(max_length=200, blank=True)
    node_type = models.CharField(max_length=20)
    output = models.JSONField(default=dict, blank=True)
    summary = models.TextField(blank=True)
    succeeded = models.BooleanField(default=True)
    fence = models.BigIntegerField()
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "number"], name="step_once")]

    def __str__(self) -> str:
        return f"Step {self.number} of {self.execution_id}"


class Checkpoint(models.Model):
    """What happened within a step that is not over: a model's answer, an action begun or done.

    A worker that takes a step over reads these and goes on after the last. They go when their step is committed.
    """

    class Kind(models.TextChoices):
        MODEL = "model", "A model's answer"
        ACTION_BEGUN = "begun", "An action begun"
        ACTION_DONE = "done", "An action done"
        SAID = "said", "Something said to the model"
        COMPACTION = "compaction", "The history made shorter"

    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="checkpoints")
    step = models.PositiveIntegerField(help_text="The number of the step it belongs to.")
    number = models.PositiveIntegerField(help_text="1, 2, 3… within the step.")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    action_id = models.CharField(max_length=100, blank=True)
    body = models.JSONField()
    fence = models.BigIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["execution", "step", "number"], name="checkpoint_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} in step {self.step} of {self.execution_id}"


class Activity(models.Model):
    """What people see of an execution, one line each, numbered within it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="activities")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    type = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    display = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "activities"
        constraints = [models.UniqueConstraint(fields=["execution", "number"], name="activity_once")]

    def __str__(self) -> str:
        return f"{self.type} {self.number} of {self.execution_id}"


class UserMessage(models.Model):
    """What a person says into an execution; seen before the agent's next step."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    execution = models.ForeignKey(Execution, on_delete=models.CASCADE, related_name="messages")
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    seen_in_step = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["execution", "id"], condition=Q(seen_in_step=None), name="message_unseen"),
        ]

    def __str__(self) -> str:
        return f"{self.user} to {self.execution_id}"
