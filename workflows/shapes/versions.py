"""Workflows on the wire. The graph within them keeps its own spelling (`workflows.graph.shapes`)."""

from typing import Annotated

from pydantic import Field, RootModel

from agents_hub.shapes.wire import AgentId, Id
from mcp_gateway.shapes import Arguments, Moment, Result
from workflows.graph.shapes import EnvironmentTemplate, Graph, Settings
from workflows.ids import WorkflowId
from workflows.models import Workflow
from workflows.services.versions import is_deletable

Rules = Annotated[str, Field(max_length=200_000, description="What holds in every AI task of the graph.")]


class WorkflowRefShape(Result):
    id: Id
    parent_id: Id | None
    version: Annotated[int | None, Field(description="None while it was never published.")]
    created_at: Moment
    author: Annotated[str | None, Field(description="The author's e-mail address.")]
    is_deletable: bool

    @classmethod
    def of(cls, workflow: Workflow) -> "WorkflowRefShape":
        return cls(
            id=workflow.pk,
            parent_id=workflow.parent_id,
            version=workflow.version,
            created_at=workflow.created_at,
            author=workflow.author.email if workflow.author else None,
            is_deletable=is_deletable(workflow),
        )


class WorkflowRefs(RootModel[list[WorkflowRefShape]]):
    """An agent's versions, the newest first."""


class WorkflowShape(Result):
    id: Id
    agent_id: Id
    parent_id: Id | None
    version: Annotated[int | None, Field(description="None while it was never published.")]
    rules: str
    settings: Settings
    task: str | None
    inputs: Annotated[
        list[str],
        Field(
            description="The names that its placeholders begin with. A run has to be given those that no earlier node "
            "is sure to work out."
        ),
    ]
    graph: Graph
    created_at: Moment
    author: Annotated[str | None, Field(description="The author's e-mail address.")]
    environment_template: EnvironmentTemplate | None

    @classmethod
    def of(cls, workflow: Workflow) -> "WorkflowShape":
        template = workflow.environment_template
        return cls(
            id=workflow.pk,
            agent_id=workflow.agent_id,
            parent_id=workflow.parent_id,
            version=workflow.version,
            rules=workflow.rules,
            settings=Settings.model_validate(workflow.settings),
            task=workflow.task or None,
            inputs=workflow.inputs,
            graph=workflow.drawn,
            created_at=workflow.created_at,
            author=workflow.author.email if workflow.author else None,
            environment_template=EnvironmentTemplate.model_validate(template) if template else None,
        )


class ListWorkflows(Arguments):
    agent_id: AgentId


class OneWorkflow(Arguments):
    agent_id: AgentId
    workflow_id: WorkflowId


class AnyWorkflow(Arguments):
    agent_id: Annotated[AgentId | None, Field(description="May be left out: the workflow's id is enough.")] = None
    workflow_id: WorkflowId


class CreateWorkflow(Arguments):
    agent_id: AgentId
    parent_id: Annotated[WorkflowId | None, Field(description="The version this one was made from.")] = None
    rules: Rules = ""
    settings: Settings = Field(default_factory=Settings)
    graph: Graph
    environment_template: EnvironmentTemplate | None = None


class CreatedWorkflow(Result):
    workflow_id: Id


class PublishedWorkflow(Result):
    workflow_id: Id
    version: int
