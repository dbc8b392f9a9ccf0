"""What tests of the chat in a browser share: the platform on a port, a model on loopback, and an agent."""

import asyncio
from collections.abc import Iterator

import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from playwright.sync_api import Page
from pytest_django import Settings

from accounts.models import Role, User
from agents_hub.models import Agent, Stage
from config.asgi import application
from mcp_gateway import offload
from tests.agents_hub.factories import AgentFactory
from tests.factories import MembershipFactory
from tests.fakes.model_provider import ModelProvider, model_provider
from tests.llm.rows import provider_row
from tests.serving import serve


@pytest.fixture
def model() -> Iterator[ModelProvider]:
    with model_provider() as provider:
        yield provider


@pytest.fixture
def platform(transactional_db: None, model: ModelProvider, settings: Settings) -> Iterator[str]:
    """Where the platform is: its pages, streams and turns in one process that may reach loopback."""
    settings.OUTBOUND_ALLOW_LOCAL = True
    with serve(application) as served:
        settings.PUBLIC_URL = f"http://127.0.0.1:{served.port}"
        yield settings.PUBLIC_URL
        # Nobody waits for the model when the server ends.
        model.over.set()
        model.go.set()
        # What counts tokens does so in a thread of its own, which keeps its connection.
        asyncio.run_coroutine_threadsafe(sync_to_async(connections.close_all)(), served.loop).result(20)
    offload.close()


@pytest.fixture
def page(platform: str, page: Page) -> Page:
    """A page that is closed before the platform ends: it would complain of a server that is gone."""
    return page


@pytest.fixture
def person(transactional_db: None) -> User:
    member: User = MembershipFactory(organization__name="Harbour Lights", role=Role.MEMBER).user
    return member


@pytest.fixture
def agent(person: User, model: ModelProvider) -> Agent:
    organization = person.organizations.get()
    provider_row(organization, model)
    made: Agent = AgentFactory(organization=organization, name="Keeper", stage=Stage.RELEASED)
    return made
