"""What every test shares: the database's life and the services that are used where they answer."""

import os
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import hypothesis
import pytest
from django.conf import settings
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from mcp_gateway import offload
from tests import emptying

# A machine with much to do takes its time; how long something takes is measured in bench/.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")

# As many as a Redis has unless it is told otherwise.
REDIS_DATABASES = 16


def pytest_unconfigure() -> None:
    """Stop the local PostgreSQL when this was the last process that used it."""
    if settings.DATABASES["default"]["ENGINE"] == "config.local_postgres":
        from config.local_postgres.base import cluster

        cluster.release()


def _answering(variable: str, default: str) -> str:
    """The service's URL, else skip the test and name what is missing."""
    url = os.environ.get(variable, default)
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), timeout=1).close()
    except OSError:
        pytest.skip(f"nothing answers at {url} (start it there, or set {variable})")
    return url


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database; what the gateway's threads keep open to it is closed before it is dropped."""
    with pytest.MonkeyPatch.context() as patch:
        with django_db_blocker.unblock():
            if emptying.allowed():
                patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: emptying.empty())
        yield
    offload.close()


def redis_database(url: str, worker_id: str) -> str:
    """The URL with the number of a database of this test process alone: each takes the one below the last."""
    parts = urlsplit(url)
    worker = int(worker_id.removeprefix("gw") if worker_id != "master" else 0)
    number = (int(parts.path.strip("/") or REDIS_DATABASES - 1) - worker) % REDIS_DATABASES
    return parts._replace(path=f"/{number}").geturl()


@pytest.fixture
def redis_url(worker_id: str) -> str:
    """A Redis database of this test process alone, empty."""
    import redis

    url = redis_database(_answering("TEST_REDIS_URL", "redis://127.0.0.1:6379"), worker_id)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


@pytest.fixture
def rabbitmq_url() -> str:
    """A RabbitMQ that others may use too: choose queue names of your own."""
    return _answering("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//")
