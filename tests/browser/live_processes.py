"""The platform's own processes on the test's database: a web server, which can be begun again, and a worker."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

from tests.bots.processes import ROOT, database_url

SECONDS = 180
# What the schedule does every few seconds, more often.
CLOCK = """
import time
from tests.workflows import worker
from workflows.tasks import sweep
while True:
    sweep()
    time.sleep(0.2)
"""


class Processes:
    """Started by a test and ended with it. `url` leads to whichever web process serves just then."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self.log = folder / "log"
        self._running = running
        # Held here, so that a browser that comes while nobody serves waits for the next one.
        self._socket = running.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.workflows.worker_settings",
            "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
            "TEST_DATABASE_URL": database_url(),
            "TEST_WORKERS_FOLDER": str(folder),
            "LOG_LEVEL": "INFO",
        }

    def web(self) -> subprocess.Popen[bytes]:
        """A web server that answers by now."""
        process = self._start("-m", "config.web", WEB_SOCKET=str(self._socket.fileno()))
        urlopen(f"{self.url}/healthz", timeout=SECONDS).close()
        return process

    def worker(self) -> None:
        """A worker, and the clock that gives it work."""
        self._start("-c", CLOCK)
        command = ["-m", "celery", "-A", "tests.workflows.worker", "worker", "--pool", "solo", "--without-gossip"]
        self._start(*command)

    def _start(self, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        log = self._running.enter_context(self.log.open("ab"))
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**self._environment, **environment},
            stdout=log,
            stderr=log,
            pass_fds=[self._socket.fileno()],
        )
        self._running.callback(process.wait, SECONDS)
        self._running.callback(process.kill)
        return process


def stopped(process: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, as whoever runs it would, and wait until it has."""
    process.send_signal(signal.SIGTERM)
    process.wait(SECONDS)
