"""Rows of workflows for tests."""

import factory

from tests.agents_hub.factories import AgentFactory
from tests.factories import OrganizationFactory
from tests.workflows.graphs import sound
from workflows.graph.shapes import Settings
from workflows.models import Execution, ExecutionFile, WebhookEndpoint, Workflow
from workflows.webhooks.signing import new_secret


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


class ExecutionFileFactory(factory.django.DjangoModelFactory[ExecutionFile]):
    """A row alone: there is no content where it says."""

    class Meta:
        model = ExecutionFile

    execution = factory.SubFactory(ExecutionFactory)
    organization = factory.SelfAttribute("execution.organization")
    directory = "uploads"
    created_by = "user"
    name = factory.Sequence(lambda number: f"file {number}.txt")
    mime_type = "text/plain"
    size = 7
    sha256 = "0" * 64
    storage_name = factory.LazyAttribute(lambda row: f"{row.execution.pk}/{row.name}")


class WebhookEndpointFactory(factory.django.DjangoModelFactory[WebhookEndpoint]):
    """An endpoint that hears of every end; nobody listens there."""

    class Meta:
        model = WebhookEndpoint

    organization = factory.SubFactory(OrganizationFactory)
    url = factory.Sequence(lambda number: f"https://hooks{number}.example.com/")
    secret = factory.LazyFunction(new_secret)
