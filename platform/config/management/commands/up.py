"""`manage.py up`: the whole platform from one command, and its end with Ctrl-C."""

import asyncio
import contextlib
import fcntl
import os
import shlex
import signal
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from accounts.demo import DemoLogin
from config import demo, watchdog
from config.supervisor import Program, Supervisor

FIRST_ANSWER_SECONDS = 60
PORTS_TO_TRY = 50


class Command(BaseCommand):
    help = "Start everything: the database where none is named, the web server, workers and the schedule."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave a new database empty")

    def handle(self, **options: Any) -> None:
        with only_one_here() as told, listening() as door:
            local = settings.LOCAL_POSTGRES_FOLDER if not settings.DATABASE_URL else None
            dog = watchdog.start(local)
            # Until the supervisor takes over, SIGTERM unwinds what was begun as Ctrl-C does.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            try:
                self._run(door, dog.pid, told, with_demo=not options["no_demo"])
            except KeyboardInterrupt:
                pass
            finally:
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                connections.close_all()
                release_local_postgres()
                assert dog.stdin is not None
                dog.stdin.close()
                dog.wait()
            self.stdout.write("Stopped.")

    def _run(self, door: socket.socket, process_group: int, told: Any, *, with_demo: bool) -> None:
        url = f"http://{shown_host()}:{settings.PORT}"
        told.write(f"process {os.getpid()}, {url}")
        told.flush()
        database = settings.DATABASE_URL or start_local_postgres()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("index_docs", stdout=StringIO())
        login = None
        if with_demo and (demo.wanted() or demo.present()):
            login = demo.fill()
        environment = {
            "DATABASE_URL": database,
            "PYTHONPATH": os.pathsep.join([str(settings.ROOT / "platform"), str(settings.ROOT)]),
        }
        programs = self._programs(door, environment)
        connections.close_all()
        asyncio.run(self._supervise(Supervisor(programs, process_group=process_group), url, login))

    def _programs(self, door: socket.socket, environment: dict[str, str]) -> list[Program]:
        python = sys.executable
        manage = [python, str(settings.ROOT / "manage.py")]
        programs = []
        if not os.environ.get("DISCORD_SANDBOX_URL") and demo.acts_in_sandbox():
            port = free_port()
            environment["DISCORD_SANDBOX_URL"] = f"http://127.0.0.1:{port}/api/v10"
            programs.append(Program("discord", [*manage, "discord_sandbox", "--port", str(port)], environment))
        celery = [python, "-m", "celery", "-A", "config.celery", "--quiet"]
        worker = ["worker", "--concurrency", "2", "--without-gossip", "--without-mingle", "--queues"]
        # It has to give back what it does before the supervisor's patience ends.
        brief = environment | {"WORKFLOW_STOP_SECONDS": "0"}
        return [
            *programs,
            Program(
                "web", [python, "-m", "config.web"], environment | {"WEB_SOCKET": str(door.fileno())}, (door.fileno(),)
            ),
            Program(
                "worker", [*celery, *worker, settings.SHORT_WORK, "--hostname", "worker@%h"], environment, patient=True
            ),
            Program("runner", [*celery, *worker, settings.LONG_WORK, "--hostname", "runner@%h"], brief, patient=True),
            Program("beat", [*celery, "beat", "--pidfile", ""], environment, patient=True),
        ]

    def _stop(self, supervisor: Supervisor) -> None:
        self.stdout.write("Stopping.")
        supervisor.stop()

    async def _supervise(self, supervisor: Supervisor, url: str, login: DemoLogin | None) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._stop, supervisor)
        running = asyncio.create_task(supervisor.run())
        # The socket is open already: the question waits in its queue until the web process has started.
        answering = asyncio.create_task(first_answer())
        await asyncio.wait([running, answering], return_when=asyncio.FIRST_COMPLETED)
        if answering.done() and not running.done():
            self.stdout.write(
                greeting(url, login) if answering.result() else "The web process does not answer; see above."
            )
            supervisor.ready()
        answering.cancel()
        await running


@contextmanager
def only_one_here() -> Iterator[Any]:
    """Hold this folder's place for one running platform; yields a file that tells the next comer about us."""
    settings.VAR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR / "up.lock").open("a+") as place:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            place.seek(0)
            raise CommandError(
                f"The platform already runs from this folder ({place.read()}). Stop that one first."
            ) from None
        place.truncate(0)
        yield place


@contextmanager
def listening() -> Iterator[socket.socket]:
    """The open socket of the web process, made before anything is started and kept while that process restarts."""
    try:
        door = socket.create_server((settings.HOST, settings.PORT), backlog=2048)
    except OSError as error:
        raise CommandError(
            f"Port {settings.PORT} on {settings.HOST} cannot be opened: {error.strerror}. "
            f"Stop what uses it, or choose another: PORT={port_after(settings.PORT)} make run"
        ) from None
    with door:
        yield door


def port_after(taken: int) -> int:
    """The next port that is free at this moment."""
    for port in range(taken + 1, min(taken + PORTS_TO_TRY, 65536)):
        try:
            socket.create_server((settings.HOST, port)).close()
        except OSError:
            continue
        return port
    return free_port()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def shown_host() -> str:
    return "127.0.0.1" if settings.HOST in {"0.0.0.0", "::"} else settings.HOST  # noqa: S104


async def first_answer() -> bool:
    """Wait for the web process to answer; whether it did."""
    try:
        async with asyncio.timeout(FIRST_ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(shown_host(), settings.PORT)
            with contextlib.closing(writer):
                writer.write(f"GET /healthz HTTP/1.1\r\nHost: {shown_host()}\r\nConnection: close\r\n\r\n".encode())
                status_line = await reader.readline()
    except OSError:  # TimeoutError is one
        return False
    return b" 200 " in status_line


def start_local_postgres() -> str:
    from config.local_postgres.base import cluster

    return cluster.ensure()


def release_local_postgres() -> None:
    if not settings.DATABASE_URL:
        from config.local_postgres.base import cluster

        cluster.release()


def greeting(url: str, login: DemoLogin | None) -> str:
    """What a person wants to know once everything runs."""
    lines = ["", f"  Asterism runs at {url}", ""]
    if login is not None:
        body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
        headers = [f"Authorization: Bearer {login.key}", "Content-Type: application/json"]
        curl = [
            "curl",
            "-s",
            f"{url}/api/mcp-server",
            *(word for header in headers for word in ("-H", header)),
            "-d",
            body,
        ]
        lines += [
            f"  Sign in    {login.email}",
            f"  Password   {login.password}",
            f"  API key    {login.key}   (scope write)",
            "",
            "  List the tools:",
            f"  {shlex.join(curl)}",
            "",
        ]
    return "\n".join([*lines, "  Ctrl-C stops everything.", ""])
