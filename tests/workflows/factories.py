"""Rows of workflows for tests."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import OrganizationFactory
from tests.workflows.graphs import sound
from workflows.graph.shapes import Settings
from workflows.models import Execution, ExecutionFile, Publication, Schedule, WebhookEndpoint, Workflow
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


class ScheduleFactory(factory.django.DjangoModelFactory[Schedule]):
    """On the first of each month, with a maker who belongs to the organization and a default version to run."""

    class Meta:
        model = Schedule

    class Params:
        published = factory.LazyFunction(lambda: published_agent())

    agent = factory.LazyAttribute(lambda made: made.published)
    organization = factory.SelfAttribute("agent.organization")
    maker = factory.LazyAttribute(lambda made: member_of(made.organization))
    name = factory.Sequence(lambda number: f"Schedule {number}")
    cron_expression = "0 9 1 * *"
    time_zone = "Europe/Berlin"
    next_due_at = factory.LazyAttribute(lambda made: timezone.now() + timedelta(hours=1) if made.is_enabled else None)
    is_enabled = True
    inputs = factory.LazyFunction(lambda: {"order": "A-117", "shop": "Tidewater Rope"})


def published_agent(**fields: Any) -> Agent:
    """An agent that has a default version, which asks for an order and a shop."""
    workflow: Workflow = WorkflowFactory(version=1, **{f"agent__{name}": value for name, value in fields.items()})
    Publication.objects.create(workflow=workflow, agent=workflow.agent)
    return workflow.agent


class WebhookEndpointFactory(factory.django.DjangoModelFactory[WebhookEndpoint]):
    """An endpoint that hears of every end; nobody listens there."""

    class Meta:
        model = WebhookEndpoint

    organization = factory.SubFactory(OrganizationFactory)
    url = factory.Sequence(lambda number: f"https://hooks{number}.example.com/")
    secret = factory.LazyFunction(new_secret)
