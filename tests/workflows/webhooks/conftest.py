"""What tests of webhooks share: a receiver on loopback, and an organization's endpoint that leads to it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Role
from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory
from tests.factories import MembershipFactory, caller_for
from tests.fakes.webhook_receiver import Receiver, webhook_receiver
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from workflows.models import Execution, WebhookDelivery
from workflows.services import webhooks
from workflows.services.webhooks import EndpointFields, WithSecret


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.OUTBOUND_ALLOW_LOCAL = True
    with webhook_receiver() as served:
        yield served


@pytest.fixture
def agent(db: None) -> Agent:
    return AgentFactory()


@pytest.fixture
def admin(agent: Agent) -> Caller:
    return caller_for(MembershipFactory(organization=agent.organization, role=Role.ADMIN).user)


@pytest.fixture
def hook(admin: Caller, agent: Agent, receiver: Receiver) -> WithSecret:
    return add(admin, agent, receiver.url)


def add(admin: Caller, agent: Agent, url: str, **given: Any) -> WithSecret:
    fields = EndpointFields(url=url, **given)
    return webhooks.create_endpoint(admin, organization_id=agent.organization.uid, given=fields)


def ended(agent: Agent, status: str = "completed", **fields: Any) -> Execution:
    """An execution that has just ended so, without a worker."""
    execution: Execution = ExecutionFactory(workflow=WorkflowFactory(agent=agent), status="running", **fields)
    execution.status, execution.terminal_at = status, timezone.now()
    execution.save()
    return execution


def time_passes(**span: float) -> None:
    """Every delivery's next attempt comes that much nearer."""
    WebhookDelivery.objects.exclude(due_at=None).update(due_at=F("due_at") - timedelta(**span))


def latest() -> WebhookDelivery:
    return WebhookDelivery.objects.latest("pk")
