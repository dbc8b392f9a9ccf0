"""What tests of chats share: an agent with a model and a remote server on loopback, and somebody who talks to it."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.caller import Caller
from accounts.models import Organization
from agents_hub.models import Agent, ScheduledTask, Stage
from agents_hub.services import scheduled_tasks as tasks
from mcp_gateway.remote import discovery
from tests.agents_hub.chat.scheduled import wanted
from tests.agents_hub.chat.talks import Talk
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.conftest import harbour
from tests.factories import OrganizationFactory, caller_for
from tests.fakes.mcp_server import McpServer, mcp_server
from tests.fakes.model_provider import ModelProvider, model_provider
from tests.llm.rows import provider_row
from tests.pages import signed_in

# The sandbox Discord of the bots' tests, for agents that are given a bot.
__all__ = ["harbour"]


# How long what is being cancelled may take to be gone.
SECONDS = 10


@pytest.fixture(scope="module")
def served() -> Iterator[McpServer]:
    with mcp_server() as server:
        yield server


@pytest.fixture
def server(served: McpServer) -> Iterator[McpServer]:
    """A remote server, as if nobody had asked it anything yet. In the end nobody asks it anything any more."""
    served.forget()
    discovery.clear()
    yield served
    ends, tick = time.monotonic() + SECONDS, threading.Event()
    while served.under_way and time.monotonic() < ends:
        tick.wait(0.01)
    assert not served.under_way, "A request to the server was left open."


@pytest.fixture
def hostile() -> Iterator[McpServer]:
    """A remote server without tools, for those that mean harm."""
    discovery.clear()
    with mcp_server(tools=False) as server:
        yield server


@pytest.fixture
def model(settings: Settings) -> Iterator[ModelProvider]:
    settings.OUTBOUND_ALLOW_LOCAL = True
    with model_provider() as provider:
        yield provider


@pytest.fixture
def organization(db: None) -> Organization:
    return OrganizationFactory(name="Lantern")


@pytest.fixture
def agent(organization: Organization, model: ModelProvider) -> Agent:
    """A released agent, whose organization's models are at the fake provider."""
    provider_row(organization, model)
    return AgentFactory(organization=organization, name="Helper", stage=Stage.RELEASED)


@pytest.fixture
def talk(agent: Agent, settings: Settings) -> Talk:
    """A member talks to the agent, in the test's own thread and transaction."""
    settings.QUICK_THREADS = 0
    return Talk.begin(caller_for(member_of(agent.organization)), agent)


@pytest.fixture
def browser(talk: Talk) -> Client:
    """The browser of the one who talks."""
    return signed_in(talk.caller)


@pytest.fixture
def maker(agent: Agent, settings: Settings) -> Caller:
    settings.QUICK_THREADS = 0
    return caller_for(member_of(agent.organization))


@pytest.fixture
def task(maker: Caller, agent: Agent) -> ScheduledTask:
    return tasks.create_task(maker, agent_id=agent.pk, wanted=wanted())
