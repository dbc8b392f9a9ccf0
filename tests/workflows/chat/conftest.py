"""What tests of workflows as tools of a chat share: the agent that is talked to, and who talks to it."""

import pytest
from pytest_django import Settings

from accounts.caller import Caller, Door
from accounts.scopes import Scope
from agents_hub.models import Agent
from tests.agents_hub.factories import AgentFactory, member_of
from tests.factories import caller_for


@pytest.fixture(autouse=True)
def in_this_thread(settings: Settings, unwatched: None) -> None:
    """Everything in the test's own thread and transaction."""
    settings.QUICK_THREADS = 0


@pytest.fixture
def agent() -> Agent:
    """The one that is talked to."""
    made: Agent = AgentFactory(name="Receptionist")
    return made


@pytest.fixture
def member(agent: Agent) -> Caller:
    return caller_for(member_of(agent.organization), Scope.WRITE, Door.CHAT)
