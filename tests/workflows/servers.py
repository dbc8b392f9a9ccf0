"""Servers that tests of faults start for themselves, kill, empty, and start again: PostgreSQL and message brokers."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest
from kombu import Connection

from config.embedded import Cluster

START_SECONDS = 120
RABBITMQ_SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class Postgres(Cluster):
    """A cluster that keeps what it has committed, whatever happens to its processes."""

    def crash(self) -> None:
        """Every process of it ends at once, in the middle of what it does."""
        self._pg_ctl("stop", "--mode=immediate")

    def recover(self) -> None:
        self._start()


class Broker(Protocol):
    @property
    def url(self) -> str: ...

    def kill(self) -> None:
        """It is gone, with every message it had."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Folder:
    """The platform's own, in the folder of the test's workers: nothing runs that could be killed."""

    url = ""

    def __init__(self, folder: Path) -> None:
        self._messages = folder / "broker" / "messages"

    def kill(self) -> None:
        for message in list(self._messages.iterdir()):
            message.unlink(missing_ok=True)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass


class Server:
    """A broker that is a process with nothing on disk but what is in `folder`."""

    scheme = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "server"
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/"

    def start(self) -> None:
        self.folder.mkdir()
        with (self.folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                self.command(), env=self.environment(), stdout=said, stderr=said, start_new_session=True
            )
        ends = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "said").read_text()
            assert time.monotonic() < ends, "the broker does not answer"
            time.sleep(0.2)

    def kill(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.folder)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        return os.environ

    def _answers(self) -> bool:
        try:
            with Connection(self.url, connect_timeout=5) as connection:
                connection.connect()
        except OSError:
            return False
        except connection.connection_errors:
            return False
        return True


class Redis(Server):
    scheme = "redis"

    def command(self) -> list[str]:
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        return [_program("redis-server"), *options]


class RabbitMQ(Server):
    """A node of its own, beside one that the machine may have."""

    scheme = "amqp"

    def command(self) -> list[str]:
        if not RABBITMQ_SERVER.exists():
            pytest.skip(f"{RABBITMQ_SERVER} is not there")
        return [str(RABBITMQ_SERVER)]

    def environment(self) -> Mapping[str, str]:
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (self.folder / "plugins").write_text("[].")
        (self.folder / "environment").touch()
        return {
            **os.environ,
            "HOME": str(self.folder),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"asterism{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "rows"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "environment"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        }


BROKERS: dict[str, type[Folder] | type[Redis] | type[RabbitMQ]] = {
    "rabbitmq": RabbitMQ,
    "redis": Redis,
    "folder": Folder,
}


@contextmanager
def started(name: str, folder: Path) -> Iterator[Broker]:
    broker: Broker = BROKERS[name](folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
