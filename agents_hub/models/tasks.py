"""Scheduled tasks: what a person has an agent asked by the clock, and the conversation of each run."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from agents_hub.models.agents import Agent
from agents_hub.models.conversations import Conversation
from agents_hub.models.turns import Turn
from scheduling.models import AbstractRun, AbstractSchedule, ScheduleQuerySet


class ScheduledTaskQuerySet(ScheduleQuerySet["ScheduledTask"]):
    pass


class ScheduledTask(AbstractSchedule):
    """A prompt for an agent. It is its maker's own, as the conversations are that its runs begin."""

    WITHOUT_ITS_MAKER: ClassVar[str] = "An admin of the organization can delete it."

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="scheduled_tasks")
    prompt = models.TextField()

    objects = ScheduledTaskQuerySet.as_manager()


class TaskRun(AbstractRun):
    """The conversation that a due time or a press of “Run now” began, and the turn that answers in it."""

    schedule = models.ForeignKey(ScheduledTask, on_delete=models.CASCADE, related_name="runs")
    conversation = models.ForeignKey(Conversation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    turn = models.OneToOneField(Turn, null=True, blank=True, on_delete=models.SET_NULL, related_name="task_run")
    is_settled = models.BooleanField(default=False, help_text="Whether what its turn came to was looked at.")

    class Meta(AbstractRun.Meta):
        indexes = [
            *AbstractRun.Meta.indexes,
            models.Index(fields=["id"], condition=Q(is_settled=False), name="task_run_to_settle"),
        ]

    @property
    def was_started(self) -> bool:
        return not self.is_skipped and (self.turn_id is not None or not self.problem)
