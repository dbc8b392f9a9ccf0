"""The two queues of background work: what may take hours is in one, all else in the other, and each has a worker."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.celery import app, schedule
from config.management.commands.up import Command

COMPOSE = Path(__file__).resolve().parents[2] / "compose.yaml"
QUEUES = {settings.SHORT_WORK, settings.LONG_WORK}


@pytest.fixture(scope="module")
def tasks() -> dict[str, Any]:
    app.finalize()
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def queue_of(name: str) -> str:
    queue: str = app.amqp.router.route({}, name)["queue"].name
    return queue


def test_what_may_take_longer_than_a_task_otherwise_may_is_long_work_and_nothing_else(tasks: dict[str, Any]) -> None:
    most = settings.CELERY_TASK_TIME_LIMIT
    lasting = {name for name, task in tasks.items() if (task.time_limit or most) > most}
    assert lasting == {name for name in tasks if queue_of(name) == settings.LONG_WORK}
    assert lasting == set(settings.CELERY_TASK_ROUTES)


def test_nothing_that_the_clock_sends_stands_behind_long_work(tasks: dict[str, Any]) -> None:
    entries = schedule()
    assert entries
    assert {queue_of(entry["task"]) for entry in entries.values()} == {settings.SHORT_WORK}


def test_what_the_clock_sends_often_expires_before_it_is_sent_again() -> None:
    """A worker that was away does not first do a thousand times what is to be done once."""
    often = {name: entry for name, entry in schedule().items() if hasattr(entry["schedule"], "total_seconds")}
    lasting = [
        name
        for name, entry in often.items()
        if not entry.get("options", {}).get("expires", 1e9) <= entry["schedule"].total_seconds()
    ]
    assert lasting == []


def test_a_worker_that_is_told_no_queue_serves_both() -> None:
    assert set(app.amqp.queues.consume_from) == QUEUES


def test_each_queue_has_a_worker_in_the_compose_file_and_a_check_that_asks_it() -> None:
    text = COMPOSE.read_text()
    workers = re.findall(r"--queues, (\w+),.*--hostname, (\w+)@%h", text)
    assert {queue for queue, _ in workers} == QUEUES
    assert [name for _, name in workers] == re.findall(r"inspect ping .*--destination (\w+)@", text)


def test_each_queue_has_a_worker_by_make_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_SANDBOX_URL", "http://127.0.0.1:1")

    class Door:
        def fileno(self) -> int:
            return 0

    programs = Command()._programs(Door(), {})  # type: ignore[arg-type]
    commands = [program.command for program in programs if "worker" in program.command]
    assert {command[command.index("--queues") + 1] for command in commands} == QUEUES
    assert len({command[command.index("--hostname") + 1] for command in commands}) == len(commands)
