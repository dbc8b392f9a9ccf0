"""A workflow is one version of an agent's work; publishing makes it the one that new runs take."""

from functools import cached_property

from django.apps import apps
from django.db import models

from accounts.caller import Caller
from accounts.models import User
from agents_hub.models import Agent
from security.identifiers import uuid7
from workflows.graph import placeholders, yields
from workflows.graph.diff import Content
from workflows.graph.shapes import Graph


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def for_caller(self, caller: Caller) -> "WorkflowQuerySet":
        """Those of agents in the organizations the caller belongs to."""
        # One membership a person and organization: the join never doubles a row.
        return self.filter(agent__organization__memberships__user_id=caller.user_id)

    def without_content(self) -> "WorkflowQuerySet":
        """For lists: a graph may be large."""
        return self.defer(*Workflow.CONTENT)

    def with_runs(self) -> "WorkflowQuerySet":
        """Each with `ran`, whether it was ever run, or an execution is to go on by it."""
        executions = apps.get_model("workflows", "Execution").objects
        runs = models.Exists(executions.filter(workflow=models.OuterRef("pk")))
        to_run = models.Exists(executions.filter(sync_to=models.OuterRef("pk")))
        return self.annotate(**{"ran": runs | to_run})  # noqa: PIE804 - spelt so, for it is no field of the model


class Workflow(models.Model):
    """A version of an agent's work. Its content never changes: an edit is a new version with this one as its parent.

    The database holds to that by a trigger; only the number is given later, once, when it is first published.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="workflows")
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="children")
    version = models.PositiveIntegerField(null=True, blank=True, help_text="1, 2, 3… by agent; none until published.")
    rules = models.TextField(blank=True)
    settings = models.JSONField()
    graph = models.JSONField()
    environment_template = models.JSONField(null=True, blank=True)
    task = models.TextField(blank=True)
    author = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkflowQuerySet.as_manager()

    # What lists of versions go without.
    CONTENT = ("graph", "rules", "settings", "environment_template", "task")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agent", "version"], name="workflow_number_once")]
        indexes = [models.Index(fields=["agent", "-created_at", "-id"], name="workflow_by_creation")]

    def __str__(self) -> str:
        return f"Version {self.version}" if self.version else f"Draft {str(self.pk)[-6:]}"

    @classmethod
    def content_of(cls, relation: str) -> list[str]:
        """What lists go without of the versions that their rows are joined with by this relation."""
        return [f"{relation}__{name}" for name in cls.CONTENT]

    @cached_property
    def drawn(self) -> Graph:
        """The graph as its shape."""
        return Graph.model_validate(self.graph)

    @property
    def content(self) -> Content:
        """What it holds, as it is compared with what another holds."""
        environment = {"environmentTemplate": self.environment_template} if self.environment_template else {}
        return Content(graph=self.drawn, settings={**self.settings, **environment}, rules=self.rules)

    @property
    def inputs(self) -> list[str]:
        """The names that its placeholders begin with, as the contract has them."""
        return placeholders.inputs_of(self.drawn)

    @property
    def needed_inputs(self) -> list[str]:
        """Those that a run has to be given: not what an earlier node is sure to work out."""
        return yields.needed_of(self.drawn)


class Publication(models.Model):
    """That a version became the default of its agent, and when. The newest of an agent's is in force."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="publications")
    agent = models.ForeignKey(Agent, on_delete=models.CASCADE, related_name="publications")
    published_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["agent", "-id"], name="publication_by_agent")]

    def __str__(self) -> str:
        return f"{self.workflow} of {self.agent}"
