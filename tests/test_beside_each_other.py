"""Test processes beside each other do not meet in the services and folders that they share."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings

from tests.conformance import node
from tests.conftest import redis_database


@pytest.mark.parametrize("url", ["redis://redis:6379", "redis://:secret@redis:6379/9", "rediss://redis/0?timeout=1"])
def test_each_has_a_database_of_redis_to_itself(url: str) -> None:
    databases = [redis_database(url, worker) for worker in ("master", "gw1", "gw2", "gw3")]
    assert len(set(databases)) == 4
    assert {urlsplit(database)._replace(path="") for database in databases} == {urlsplit(url)._replace(path="")}


def test_what_two_want_of_npm_at_once_is_installed_once(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ROOT = tmp_path
    installs: list[list[str]] = []
    second = threading.Event()

    def install(command: list[str], *, seconds: float) -> Any:
        installs.append(command)
        if len(installs) > 1:
            second.set()
        second.wait(0.2)
        program = tmp_path / "var" / "npm" / "left@1" / "node_modules" / ".bin" / "left"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(node, "npm", lambda purpose: "npm")
    monkeypatch.setattr(node, "run", install)
    with ThreadPoolExecutor() as both:
        commands = list(both.map(lambda _: node.installed("left@1", "left", "nothing"), range(2)))
    assert len(installs) == 1
    assert commands[0] == commands[1]
