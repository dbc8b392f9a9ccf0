"""Real Celery workers of one test, in processes of their own: started, killed, stopped, and listened to."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bots.processes import ROOT, database_url

# A busy machine takes its time until a worker is there.
SECONDS = 300
CELERY = ["-m", "celery", "-A", "tests.workflows.worker"]
POOL = [*CELERY, "worker", "--without-gossip", "--without-mingle"]
WORKER = [*POOL, "--pool", "solo"]


class Workers:
    """Processes on the test's database and a broker of their own, ended with the test."""

    def __init__(self, folder: Path, running: ExitStack, **environment: str) -> None:
        self.folder, self._running = folder, running
        self._pools = 0
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.workflows.worker_settings",
            "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
            "TEST_DATABASE_URL": database_url(),
            "TEST_WORKERS_FOLDER": str(folder),
            "WORKFLOW_LEASE_SECONDS": "2",
            "LOG_LEVEL": "INFO",
            **environment,
        }

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A process; what they all say is in one file."""
        log = self._running.enter_context((self.folder / "log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self._environment, stdout=log, stderr=log
        )
        self._running.callback(process.wait, 30)
        self._running.callback(process.kill)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        return self.start(*WORKER)

    def pool(self, processes: int, *queues: str) -> subprocess.Popen[bytes]:
        """A worker of so many processes, as in production, that serves these queues."""
        self._pools += 1
        where = ["--queues", ",".join(queues), "--hostname", f"pool{self._pools}@%h"]
        return self.start(*POOL, "--concurrency", str(processes), *where)

    def beat(self) -> subprocess.Popen[bytes]:
        """The real schedule: it sends messages, and workers do what they say."""
        return self.start(
            *CELERY, "beat", "--pidfile", "", "--schedule", str(self.folder / "schedule"), "--max-interval", "1"
        )

    def said(self) -> str:
        return (self.folder / "log").read_text()

    def shipped(self) -> list[str]:
        """What the action `ship` did, each time it did it."""
        file = self.folder / "shipped"
        return file.read_text().splitlines() if file.exists() else []


def wait_until(true: Callable[[], Any], seconds: float = SECONDS) -> None:
    ends, tick = time.monotonic() + seconds, threading.Event()
    while not true():
        assert time.monotonic() < ends, "it did not come about"
        tick.wait(0.1)
