"""Rows of workflows for tests."""

import factory

from tests.agents_hub.factories import AgentFactory
from tests.workflows.graphs import sound
from workflows.graph.shapes import Settings
from workflows.models import Execution, Workflow


class WorkflowFactory(factory.django.DjangoModelFactory[Workflow]):
    """A draft that can be published."""

    class Meta:
        model = Workflow

    agent = factory.SubFactory(AgentFactory)
    graph = factory.LazyFunction(sound)
    settings = factory.LazyFunction(lambda: Settings().model_dump(exclude_none=True))


class ExecutionFactory(factory.django.DjangoModelFactory[Execution]):
    """An execution that waits for its place."""

    class Meta:
        model = Execution

    workflow = factory.SubFactory(WorkflowFactory)
    agent = factory.SelfAttribute("workflow.agent")
    organization = factory.SelfAttribute("agent.organization")
