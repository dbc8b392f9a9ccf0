"""`manage.py up` from outside, as a person and a supervisor meet it: real processes, a real port, its own folder."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from config.embedded import Cluster

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 180
STOP_SECONDS = 20


class Platform:
    """A platform started by `up`, whose output is read line by line."""

    def __init__(self, var: Path, port: int) -> None:
        self.var, self.port, self.lines = var, port, list[str]()
        environment = {"PATH": os.environ["PATH"], "HOME": str(var), "ASTERISM_VAR": str(var), "PORT": str(port)}
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "up"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, wanted: str) -> str:
        """The first line from here on that `wanted`, a pattern, is found in."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if re.search(wanted, line):
                return line
        raise AssertionError(f"up ended without a line like {wanted!r}:\n{''.join(self.lines)}")

    def get(self, path: str) -> int:
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        try:
            asking.request("GET", path)
            return asking.getresponse().status
        finally:
            asking.close()

    def descendants(self) -> list[psutil.Process]:
        """Everything it started, the local PostgreSQL's postmaster too, which is nobody's child."""
        postmaster = (Cluster(self.var / "postgres").data / "postmaster.pid").read_text().split("\n", 1)[0]
        return [*psutil.Process(self.process.pid).children(recursive=True), psutil.Process(int(postmaster))]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def all_gone(processes: list[psutil.Process], within: float) -> bool:
    """Whether they end in time. An ended process that nobody has waited for yet has ended."""
    _, alive = psutil.wait_procs(
        [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE], timeout=within
    )
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in alive)


@pytest.fixture
def var(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "var"
    if (tmp_path / "var" / "postgres").is_dir():
        Cluster(tmp_path / "var" / "postgres").destroy()


@pytest.fixture
def platform(var: Path) -> Iterator[Platform]:
    started = Platform(var, free_port())
    yield started
    started.process.kill()
    started.process.communicate()


def test_a_taken_port_is_said_before_anything_is_started(var: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        platform = Platform(var, int(taken.getsockname()[1]))
        said, _ = platform.process.communicate(timeout=START_SECONDS)
    assert platform.process.returncode == 1
    assert f"Port {platform.port} on 127.0.0.1 cannot be opened" in said
    assert re.search(r"PORT=\d+ make run", said)
    assert not (var / "postgres").exists()


@pytest.mark.faults
def test_the_printed_line_lists_the_fifteen_tools_and_sigterm_leaves_nothing(platform: Platform) -> None:
    line = platform.read_until(r"curl -s")
    platform.read_until("Ctrl-C")
    listed = subprocess.run(line, shell=True, capture_output=True, check=True).stdout
    assert len(json.loads(listed)["result"]["tools"]) == 15
    assert platform.get("/readyz") == 200
    started = platform.descendants()
    before = time.monotonic()
    platform.process.terminate()
    said, _ = platform.process.communicate(timeout=STOP_SECONDS)
    assert platform.process.returncode == 0
    assert said.rstrip().endswith("Stopped.")
    assert time.monotonic() - before < STOP_SECONDS
    assert all_gone(started, within=1)


@pytest.mark.faults
def test_a_killed_up_takes_everything_with_it(platform: Platform) -> None:
    platform.read_until("Ctrl-C")
    started = platform.descendants()
    assert len(started) >= 5
    platform.process.kill()
    assert all_gone(started, within=STOP_SECONDS)


@pytest.mark.faults
def test_a_second_start_keeps_what_was_stored(platform: Platform) -> None:
    password = platform.read_until(r"Password ")
    platform.read_until("Ctrl-C")
    with psycopg.connect(Cluster(platform.var / "postgres").url) as connection:
        before = connection.execute("SELECT count(*), max(id) FROM bots_ticket").fetchone()
    platform.process.terminate()
    platform.process.communicate(timeout=STOP_SECONDS)
    again = Platform(platform.var, platform.port)
    try:
        assert again.read_until(r"Password ") == password
        again.read_until("Ctrl-C")
        with psycopg.connect(Cluster(platform.var / "postgres").url) as connection:
            assert connection.execute("SELECT count(*), max(id) FROM bots_ticket").fetchone() == before
    finally:
        again.process.terminate()
        again.process.communicate(timeout=STOP_SECONDS)


@pytest.mark.faults
def test_a_crashed_child_is_started_again_and_said_so_and_a_second_up_is_refused(platform: Platform) -> None:
    platform.read_until("Ctrl-C")
    [web] = [each for each in psutil.Process(platform.process.pid).children() if "config.web" in each.cmdline()]
    web.send_signal(signal.SIGKILL)
    assert "was ended by SIGKILL; starting it again" in platform.read_until(r"web \| was ended")
    # The socket stayed open: the question waits for the new process instead of being refused.
    assert platform.get("/healthz") == 200
    second = Platform(platform.var, free_port())
    said, _ = second.process.communicate(timeout=START_SECONDS)
    assert second.process.returncode == 1
    assert f"already runs from this folder (process {platform.process.pid}, http://127.0.0.1:{platform.port})" in said


@pytest.mark.faults
def test_make_run_needs_nothing_but_make_and_python() -> None:
    shown = subprocess.run(
        [shutil.which("make") or "make", "--dry-run", "--always-make", "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "-m venv .venv" in shown
    assert "--require-hashes -r requirements.txt" in shown
    assert "manage.py up" in shown
