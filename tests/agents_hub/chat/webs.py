"""Web processes of the platform on the test's own database, to be killed, stopped and counted."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bots.processes import ROOT, database_url

SECONDS = 90
LEASE_SECONDS = 2


@dataclass(frozen=True)
class Open:
    """What a process holds, beside its connections to models and servers."""

    threads: int
    sockets: int
    files: int


class Web:
    def __init__(self, process: subprocess.Popen[bytes], port: int) -> None:
        self.process, self.port = process, port

    def kill(self) -> None:
        """At once, with nothing left to do for it."""
        self.process.kill()
        self.process.wait(30)

    def holds(self) -> Open:
        seen = psutil.Process(self.process.pid)
        outgoing = len(self.outgoing())
        return Open(seen.num_threads(), len(seen.net_connections("all")) - outgoing, seen.num_fds() - outgoing)

    def outgoing(self) -> list[tuple[str, int]]:
        """Where its connections by network lead to: models and servers; the database is reached by a file."""
        seen = psutil.Process(self.process.pid).net_connections("inet")
        return [tuple(each.raddr) for each in seen if each.raddr and each.laddr.port != self.port]


class Webs:
    """Ended with the test."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._log, self._running = folder / "log", running

    def start(self, **environment: str) -> Web:
        """One that answers."""
        port = free_port()
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.agents_hub.chat.web"],
                cwd=ROOT,
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": "tests.agents_hub.chat.web_settings",
                    "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
                    "TEST_DATABASE_URL": database_url(),
                    "TEST_WEB_PORT": str(port),
                    "CHAT_LEASE_SECONDS": str(LEASE_SECONDS),
                    "LOG_LEVEL": "INFO",
                    **environment,
                },
                stdout=log,
                stderr=log,
            )
        self._running.callback(process.wait, 30)
        self._running.callback(process.kill)
        wait_until(lambda: _answers(port), self.said)
        return Web(process, port)

    def said(self) -> str:
        """What all of them logged."""
        return self._log.read_text()


def wait_until(true: Callable[[], Any], why: Callable[[], str] = str) -> None:
    """Raises, with what `why` tells, where it does not come about."""
    ends, tick = time.monotonic() + SECONDS, threading.Event()
    while not true():
        assert time.monotonic() < ends, f"it did not come about {why()}"
        tick.wait(0.05)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=10).status_code == 200
    except httpx.HTTPError:
        return False
