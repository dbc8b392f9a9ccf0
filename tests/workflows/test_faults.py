"""Two hundred executions while workers are killed and stopped, the broker is emptied and the database crashes.

Each ends once, no action is done twice, and none is left behind: on RabbitMQ, on Redis and on the broker in a folder.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dj_database_url
import httpx2
import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Count, F, Max

from llm.telling import UNKNOWN
from tests.agents_hub.factories import AgentFactory, member_of
from tests.bots.processes import ROOT, database_url
from tests.factories import make_key
from tests.workflows import servers
from tests.workflows.crowd import Workers, wait_until
from tests.workflows.factories import ExecutionFactory, WorkflowFactory
from tests.workflows.graphs import graph, node, way
from tests.workflows.servers import Broker, Postgres
from tests.workflows.tasks import END, call, done, task
from workflows.models import Activity, Execution, Step

pytestmark = pytest.mark.faults

EXECUTIONS, STEPS, AGENTS = 200, 3, 4


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any) -> Iterator[Postgres]:
    """A PostgreSQL of these tests alone, with the schema; the tests' own connection leads there."""
    own = Postgres(tmp_path_factory.mktemp("postgres"))
    url = own.ensure()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "TEST_DATABASE_URL": url,
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    where = dj_database_url.parse(url)
    before = dict(connection.settings_dict)
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        if before["ENGINE"] == "config.local_postgres":
            patch.setattr("config.local_postgres.base.cluster", own)
        connection.close()
        connection.settings_dict.update({key: where[key] for key in ("NAME", "HOST", "PORT", "USER", "PASSWORD")})
        yield own
        connection.close()
        connection.settings_dict.update(before)
    own.destroy()


class Storm:
    """The executions, those who carry them out, and the blows."""

    def __init__(self, crowd: Workers, postgres: Postgres, broker: Broker) -> None:
        self.crowd, self.postgres, self.broker = crowd, postgres, broker
        self.running = [crowd.worker() for _ in range(2)]
        crowd.beat()

    def kill_a_worker(self) -> None:
        self.running.pop(0).kill()
        self.running.append(self.crowd.worker())

    def stop_a_worker(self) -> None:
        self.running[0].send_signal(signal.SIGSTOP)

    def wake_it(self) -> None:
        self.running[0].send_signal(signal.SIGCONT)

    def crash_the_database(self) -> None:
        self.postgres.crash()
        self.postgres.recover()

    def empty_the_broker(self) -> None:
        self.broker.kill()
        self.broker.start()

    def both(self) -> None:
        self.postgres.crash()
        self.broker.kill()
        self.postgres.recover()
        self.broker.start()

    def blows(self) -> list[Callable[[], None]]:
        return [
            self.kill_a_worker,
            self.crash_the_database,
            self.empty_the_broker,
            self.stop_a_worker,
            self.both,
            self.wake_it,
            self.kill_a_worker,
        ]


def ended() -> int:
    """How many executions have ended; none that could be seen while the database is away."""
    try:
        return Execution.objects.filter(terminal_at__isnull=False).count()
    except (OperationalError, InterfaceError):
        connection.close()
        return 0


def make_executions() -> None:
    """Of several tenants: an AI task that ships something, a node that takes a moment, and the end."""
    for _ in range(AGENTS):
        look = task("look", call("ship", text="order"), done(), tools=("ship",))
        rest = [node("rest", "url"), END, way("look", "rest"), way("rest", "end", "outcome_success")]
        workflow = WorkflowFactory(agent=AgentFactory(), graph=graph(look, *rest))
        Execution.objects.bulk_create(ExecutionFactory.build_batch(EXECUTIONS // AGENTS, workflow=workflow))


@pytest.mark.parametrize("name", servers.BROKERS)
def test_each_ends_once_whatever_is_killed(postgres: Postgres, name: str, tmp_path: Path) -> None:
    Execution.objects.all().delete()
    make_executions()
    with ExitStack() as running:
        broker = running.enter_context(servers.started(name, tmp_path))
        crowd = Workers(tmp_path, running, TEST_WORKERS_BROKER=broker.url, TEST_WORKERS_CLOCK="off")
        storm = Storm(crowd, postgres, broker)
        blows = storm.blows()
        for number, blow in enumerate(blows, 1):
            many = EXECUTIONS * number // (len(blows) + 2)
            wait_until(lambda many=many: ended() >= many)  # type: ignore[misc]
            blow()
        wait_until(lambda: ended() == EXECUTIONS)
        assert_each_was_carried_out_once()
        assert_nothing_was_shipped_twice(crowd)


def assert_each_was_carried_out_once() -> None:
    assert set(Execution.objects.values_list("status", "step_count")) == {("completed", STEPS)}
    assert Step.objects.count() == EXECUTIONS * STEPS
    ends = Activity.objects.filter(payload__status__in=["completed", "failed", "cancelled"])
    times = ends.values("execution").annotate(times=Count("id")).values_list("times", flat=True)
    assert list(times) == [1] * EXECUTIONS
    counted = Execution.objects.annotate(lines=Count("activities"), last=Max("activities__number"))
    assert not counted.exclude(activity_count=F("lines")).exists()
    assert not counted.exclude(activity_count=F("last")).exists()
    assert Execution.objects.filter(fence__gt=1).exists(), "no worker was lost in the middle of one"


def assert_nothing_was_shipped_twice(crowd: Workers) -> None:
    """Where it is not known whether it was, the model was told so, and it was not done again."""
    shipped = Counter(line.partition("/")[0] for line in crowd.shipped())
    assert set(shipped.values()) == {1}
    unknown = Activity.objects.filter(type="action_failed", payload__message=UNKNOWN)
    of_unknown = {str(execution) for execution in unknown.values_list("execution_id", flat=True)}
    everybody = {str(execution) for execution in Execution.objects.values_list("id", flat=True)}
    assert everybody - set(shipped) <= of_unknown


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ticket.list", "arguments": {}}}


class Web:
    """A web process on the tests' database, and a person's key to it."""

    def __init__(self, running: ExitStack, key: str) -> None:
        port = servers.free_port()
        self.client = running.enter_context(
            httpx2.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=60)
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "config.asgi:application", "--port", str(port), "--log-level", "warning"],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
                "TEST_DATABASE_URL": database_url(),
            },
        )
        running.callback(process.wait, 30)
        running.callback(process.terminate)
        wait_until(self.is_there)

    def is_there(self) -> bool:
        try:
            return self.client.get("/healthz").status_code == 200
        except httpx2.ConnectError:
            return False

    def answers(self) -> list[int]:
        """The statuses of a page, of the REST API, and of a tool that reads on the event loop."""
        mcp = {"Accept": "application/json, text/event-stream"}
        return [
            self.client.get("/readyz").status_code,
            self.client.get("/agents/v2/executions").status_code,
            self.client.post("/api/mcp-server", json=LIST, headers=mcp).status_code,
        ]


def test_web_processes_answer_with_the_first_request_after_the_database_is_back(postgres: Postgres) -> None:
    person = member_of(AgentFactory().organization)
    _, key = make_key(person)
    with ExitStack() as running:
        web = Web(running, key)
        for _ in range(3):
            assert web.answers() == [200, 200, 200]
        postgres.crash()
        assert web.client.get("/readyz").status_code == 503
        postgres.recover()
        for _ in range(3):
            assert web.answers() == [200, 200, 200]
