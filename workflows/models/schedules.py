"""A schedule of an agent's workflow, and what became of each of its due times."""

from django.db import models

from agents_hub.models import Agent, Profile, ProfilePool
from scheduling.models import AbstractRun, AbstractSchedule, ScheduleQuerySet
from workflows.models.executions import Execution
from workflows.models.versions import Workflow


class WorkflowScheduleQuerySet(ScheduleQuerySet["Schedule"]):
    pass


class Schedule(AbstractSchedule):
    """Which agent runs by the clock, by which version, and with what it is started."""

    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="schedules")
    workflow = models.ForeignKey(
        Workflow,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="The published version to run; none: the one that is the default when a run is due.",
    )
    inputs = models.JSONField(default=dict, blank=True)
    options = models.JSONField(default=dict, blank=True, help_text="executionOptions of each run.")
    # Ids and no relations: where what they name is deleted, the run has to say so instead of going on without it.
    profile_id = models.UUIDField(null=True, blank=True)
    pool_id = models.UUIDField(null=True, blank=True)

    objects = WorkflowScheduleQuerySet.as_manager()

    @property
    def profile(self) -> Profile | None:
        return (
            Profile.objects.filter(organization_id=self.organization_id, pk=self.profile_id).first()
            if self.profile_id
            else None
        )

    @property
    def pool(self) -> ProfilePool | None:
        return (
            ProfilePool.objects.filter(organization_id=self.organization_id, pk=self.pool_id).first()
            if self.pool_id
            else None
        )


class ScheduleRun(AbstractRun):
    """The execution that a due time or a press of “Run now” started."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="runs")
    execution = models.ForeignKey(Execution, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
