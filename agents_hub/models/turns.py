"""A turn: one answer of an agent, from what was asked to its end, with all that happened on the way.

The rows are the truth. Whoever carries a turn out holds it by a lease under a fence that grows with each claim, and
every write of it is guarded by that fence: one that was overtaken writes nothing more.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiKey
from agents_hub.models.conversations import Conversation, Message
from security.identifiers import uuid7


class TurnStatus(models.TextChoices):
    IN_PROGRESS = "in_progress", "In progress"
    COMPLETED = "completed", "Completed"
    STOPPED = "stopped", "Stopped"
    ERROR = "error", "Error"
    TIMEOUT = "timeout", "Timed out"


class Turn(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="turns")
    answer = models.OneToOneField(Message, on_delete=models.CASCADE, related_name="turn")
    status = models.CharField(max_length=12, choices=TurnStatus.choices, default=TurnStatus.IN_PROGRESS)
    # With which key it was asked for, and what that key allows: tools are called with no more.
    api_key = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    scope = models.CharField(max_length=5, default="write")
    created_at = models.DateTimeField(default=timezone.now)
    # When a person last had it gone on with. Until then nobody is there for what a schedule asked.
    resumed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    error_code = models.SlugField(
        max_length=40, blank=True, help_text="“interrupted” where whoever carried it out was lost."
    )
    error = models.TextField(blank=True, help_text="What went wrong, for people.")

    # Who carries it out.
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    stop_wanted = models.BooleanField(default=False)
    # When workers were last told of it, because no process had taken it.
    handed_out_at = models.DateTimeField(null=True, blank=True)
    # Whether what those who looked on were shown is gone by now.
    events_forgotten = models.BooleanField(default=False, db_default=False)

    # What it used.
    model = models.CharField(max_length=200, blank=True)
    rounds = models.PositiveSmallIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=14, decimal_places=8, null=True, blank=True)
    unpriced_calls = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Calls of models whose price nobody knows: what it cost is more than it says.",
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TurnStatus.values), name="turn_status"),
            models.CheckConstraint(
                condition=Q(status=TurnStatus.IN_PROGRESS) ^ Q(ended_at__isnull=False), name="turn_ended_or_not"
            ),
            # Two answers at once in one conversation would not know of each other.
            models.UniqueConstraint(
                fields=["conversation"], condition=Q(status=TurnStatus.IN_PROGRESS), name="turn_one_at_a_time"
            ),
        ]
        indexes = [
            # The few that are under way: what is claimed and swept.
            models.Index(
                fields=["lease_until", "id"], condition=Q(status=TurnStatus.IN_PROGRESS), name="turn_under_way"
            ),
            models.Index(fields=["conversation", "id"], name="turn_in_conversation"),
            # Those whose events are still there: what is looked through each hour.
            models.Index(
                fields=["ended_at"],
                condition=Q(events_forgotten=False, ended_at__isnull=False),
                name="turn_events_kept",
            ),
        ]

    def __str__(self) -> str:
        return f"Turn {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.status != TurnStatus.IN_PROGRESS

    @property
    def was_interrupted(self) -> bool:
        return self.error_code == INTERRUPTED


INTERRUPTED = "interrupted"


class TurnStep(models.Model):
    """What the model is to know of a turn: its answers, the results of its calls, a summary of what was before.

    Whoever goes on with the turn, or begins the next one, reads these and not the message that people see.
    """

    class Kind(models.TextChoices):
        ANSWER = "answer", "A model's answer"
        RESULTS = "results", "The results of its calls"
        SUMMARY = "summary", "What was said before, in short"

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=7, choices=Kind.choices)
    body = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "number"], name="turn_step_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.turn_id}"


class TurnEvent(models.Model):
    """What those who look at a turn are shown as it happens; numbers grow, with gaps. Gone some time after its end, but
    for what stands in the message beside its text.
    """

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12)
    body = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "number"], name="turn_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.turn_id}"


class ToolUse(models.Model):
    """One call of a tool in a turn: what people see of it, and by what a second run knows that it was made."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for you"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        DENIED = "denied", "Denied"
        STOPPED = "stopped", "Stopped"
        UNKNOWN = "unknown", "Outcome unknown"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="tool_uses")
    # Of the call: in which round the model asked for it, and which of the round's calls it is.
    round = models.PositiveSmallIntegerField()
    place = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    origin = models.CharField(max_length=40, help_text="server:<id>, or the source's name.")
    origin_name = models.CharField(max_length=255)
    arguments = models.JSONField(default=dict)
    status = models.CharField(max_length=8, choices=Status.choices)
    # {"content": [blocks as the protocol has them], "structured": …, "notes": […]}
    result: Any = models.JSONField(null=True, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    # When the tool was called; never, where the person was still being asked. Whoever goes on with the turn makes a
    # call that never began.
    began_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "round", "place"], name="tool_use_once")]

    def __str__(self) -> str:
        return f"{self.name} in {self.turn_id}"


FIELD_ORDER = "x-order"
_EMPTY_FORM: dict[str, Any] = {"type": "object", "properties": {}}


class Inquiry(models.Model):
    """What a turn asks the person before it goes on: to allow a call, to fill a server's form in, to visit a page."""

    class Kind(models.TextChoices):
        PERMISSION = "permission", "Permission"
        FORM = "form", "Form"
        PAGE = "page", "Page to visit"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="inquiries")
    tool_use = models.ForeignKey(ToolUse, on_delete=models.CASCADE, related_name="inquiries")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    asked_by = models.CharField(max_length=255, help_text="The server's name.")
    message = models.TextField()
    # A form's, with the order of its fields under `FIELD_ORDER`: the database keeps none.
    schema: Any = models.JSONField(null=True, blank=True)
    url = models.CharField(max_length=2_000, blank=True)
    asked_at = models.DateTimeField(default=timezone.now)
    # {"action": "once" | "always" | "deny"} of a permission; else {"action": "accept" | "decline" | "cancel",
    # "content": {…}}, whose content is there until the turn has taken it up, and no longer. Of one that was not
    # answered before it was no longer asked: {"action": "withdrawn"}.
    answer: Any = models.JSONField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "inquiries"
        indexes = [
            models.Index(fields=["turn", "id"], name="inquiry_of_turn"),
            # The few whose content is still to be forgotten.
            models.Index(fields=["id"], condition=Q(answer__has_key="content"), name="inquiry_with_content"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} in {self.turn_id}"

    @property
    def form_schema(self) -> dict[str, Any]:
        """What the server asks for, as it wrote it."""
        schema = {**_EMPTY_FORM, **(self.schema or {})}
        order, properties = schema.pop(FIELD_ORDER, []), schema.get("properties")
        if isinstance(properties, dict):
            schema["properties"] = {name: properties[name] for name in order if name in properties} | properties
        return schema

    def keep_schema(self, schema: Mapping[str, Any]) -> None:
        properties = schema.get("properties")
        self.schema = {**schema, FIELD_ORDER: list(properties) if isinstance(properties, Mapping) else []}


# What stands in the place of an answer that nobody gave in time.
WITHDRAWN: dict[str, Any] = {"action": "withdrawn"}


class TurnCall(models.Model):
    """One question to a model as it was sent, for admins who look for what went wrong. Gone after some weeks."""

    class Purpose(models.TextChoices):
        ANSWER = "answer", "An answer"
        SUMMARY = "summary", "A summary of what was said before"

    turn = models.ForeignKey(Turn, on_delete=models.CASCADE, related_name="model_calls")
    number = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)
    purpose = models.CharField(max_length=7, choices=Purpose.choices, default=Purpose.ANSWER, db_default="answer")
    model = models.CharField(max_length=200, blank=True)
    # {"instructions": text, "history": […], "tools": [definitions], "settings": {…}}, without secrets.
    question = models.JSONField()
    answer: Any = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True)
    input_tokens = models.PositiveIntegerField(default=0)
    cached_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    duration_ms = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["turn", "number"], name="turn_call_once")]
        indexes = [models.Index(fields=["at"], name="turn_call_by_time")]

    def __str__(self) -> str:
        return f"Call {self.number} of {self.turn_id}"
