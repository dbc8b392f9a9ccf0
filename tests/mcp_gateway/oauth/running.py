"""The platform as a process of its own on a port of its own, over the test's database: what outside clients talk to."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.bots.processes import ROOT, database_url

START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Platform:
    url: str

    @property
    def mcp(self) -> str:
        return f"{self.url}/mcp"


@contextlib.contextmanager
def platform(folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Platform]:
    """Started as `up` starts it, with what it keeps in `folder` and what is set besides; ended with SIGTERM."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTEST"))},
            "ASTERISM_ENV": "development",
            "ASTERISM_VAR": str(folder),
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "PUBLIC_URL": url,
            "SECRET_KEY": "of-one-test-" + "x" * 40,
            "WEB_SOCKET": str(door.fileno()),
            **(settings or {}),
        }
        (folder / "static").mkdir(exist_ok=True)
        process = subprocess.Popen(
            [sys.executable, "-m", "config.web"], cwd=ROOT / "platform", env=environment, pass_fds=(door.fileno(),)
        )
    try:
        _wait_until_it_answers(url, process)
        yield Platform(url)
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    """The socket is open already, so that the first request waits for the process and not for luck."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=START_SECONDS)
    try:
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
    except OSError:
        process.terminate()
        raise
    finally:
        connection.close()
