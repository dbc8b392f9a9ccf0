"""Doing one thing in several real processes, let go together, against the test's own database."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
PRELUDE = """
import json
import sys
import django
from django.conf import settings
django.setup()
for name, value in json.loads(sys.argv[1]).items():
    setattr(settings, name, value)
from django.db import connection
connection.ensure_connection()
print("ready", flush=True)
sys.stdin.readline()
"""


class Process:
    """A Python process that has Django set up, with these `settings` changed, and waits to be let go."""

    def __init__(self, code: str, **settings: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + code, json.dumps(settings)],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}",
                "TEST_DATABASE_URL": database_url(),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def let_go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it, if it has not ended."""
        self._process.kill()
        self._process.communicate(timeout=30)

    def last_line(self) -> str:
        """What it printed last, once it has ended well."""
        output, _ = self._process.communicate(timeout=120)
        assert self._process.returncode == 0
        return output.splitlines()[-1]


def in_processes(count: int, code: str, **settings: str) -> list[str]:
    """The last line that each of `count` processes printed after running `code`, all let go together."""
    with ExitStack() as running:
        processes = [running.enter_context(Process(code, **settings)) for _ in range(count)]
        for process in processes:
            process.wait_until_ready()
        for process in processes:
            process.let_go()
        return [process.last_line() for process in processes]


def database_url() -> str:
    """Where the test's database is, as the settings take it."""
    parameters = connection.get_connection_params()
    user, password = parameters.get("user") or "", parameters.get("password") or ""
    host, port = parameters.get("host") or "", parameters.get("port") or ""
    login = f"{quote(user)}:{quote(password)}@" if user else ""
    where = quote(str(host), safe="") + (f":{port}" if port else "")
    return f"postgres://{login}{where}/{parameters['dbname']}"
