"""What it costs to run executions: steps a second by two workers, many steps in a row, and recovery after a kill."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg

from bench import committing, wanted
from bench.mcp_server import LOG, ROOT, bench_database, prepared_environment

EXECUTIONS, STEPS = int(os.environ.get("BENCH_EXECUTIONS", "200")), 40
LEASE, SWEEP = 2, 1
WORKER = ["-m", "celery", "-A", "bench.runner", "worker", "--pool", "solo", "--without-gossip"]


class Runners:
    """Workers on one database, with a broker in a folder of their own."""

    def __init__(self, url: str, folder: str, running: ExitStack) -> None:
        self.environment = {
            **prepared_environment(url),
            "BROKER_URL": "",
            "ASTERISM_VAR": folder,
            "WORKFLOW_LEASE_SECONDS": str(LEASE),
            "WORKFLOW_PLACES": "1000",
            "WORKFLOW_PLACES_PER_ORGANIZATION": "1000",
            "WORKFLOW_PLACES_PER_AGENT": "1000",
        }
        self._running = running
        self._log = running.enter_context(LOG.open("ab"))
        self.connection = running.enter_context(closing(psycopg.connect(url, autocommit=True)))

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log
        )
        self._running.callback(process.wait, 30)
        self._running.callback(process.kill)
        return process

    def add(self, executions: int, steps: int, seconds: float = 0.0, *, held: bool = False) -> None:
        """Executions of so many steps that take so long each, waiting for their places, or `held` by nobody here."""
        given = json.dumps({"executions": executions, "steps": steps, "seconds": seconds, "held": held})
        command = [sys.executable, "-m", "bench.runner", given]
        subprocess.run(command, cwd=ROOT, env=self.environment, check=True)

    def one(self, query: str) -> float:
        row = self.connection.execute(query.encode()).fetchone()
        assert row is not None
        return float(row[0] or 0)

    def finish(self) -> None:
        while self.one("SELECT count(*) FROM workflows_execution WHERE terminal_at IS NULL"):
            time.sleep(0.1)

    def processor_seconds(self, workers: list[subprocess.Popen[bytes]]) -> tuple[float, float]:
        """User and system time so far: of the workers, and of all the database's processes where it is here."""
        ours = sum(_seconds_of(psutil.Process(worker.pid)) for worker in workers)
        try:
            server = psutil.Process(self.connection.info.backend_pid).parent()
        except psutil.NoSuchProcess:
            server = None
        if server is None or server.name() != "postgres":
            return ours, 0.0
        ended = server.cpu_times()
        alive = sum(_seconds_of(backend) for backend in server.children())
        return ours, alive + ended.children_user + ended.children_system

    def floor(self) -> float:
        """Commits a second of steps' rows by bare psycopg."""
        self.add(committing.PROCESSES, 2, held=True)
        found = self.connection.execute("SELECT id::text FROM workflows_execution").fetchall()
        return committing.rate(self.environment, [execution for (execution,) in found], str(ROOT))

    def forget(self) -> None:
        self.connection.execute("TRUNCATE workflows_execution CASCADE")


def main() -> None:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with bench_database("asterism_bench_running") as url, TemporaryDirectory() as folder, ExitStack() as running:
        runners = Runners(url, str(Path(folder)), running)
        workers = [runners.start(*WORKER) for _ in range(2)]
        runners.start("-c", f"from bench.runner import sweep_every; sweep_every({SWEEP})")
        print("\nExecutions by 2 workers")
        runners.add(2, 2)
        runners.finish()  # to warm up
        runners.forget()
        runners.add(1, STEPS)
        runners.finish()
        alone = runners.one("SELECT extract(epoch FROM max(terminal_at) - min(started_at)) FROM workflows_execution")
        wanted.at_most(f"{STEPS} steps in a row", alone, 1, "s")
        runners.forget()
        measure_rate(runners, workers)
        recover(runners, workers)


def measure_rate(runners: Runners, workers: list[subprocess.Popen[bytes]]) -> None:
    """Steps a second, beside what the database alone takes for their rows: before and after, to show other load."""
    floors = [runners.floor()]
    runners.forget()
    before = runners.processor_seconds(workers)
    runners.add(EXECUTIONS, STEPS)
    runners.finish()
    after = runners.processor_seconds(workers)
    steps = runners.one("SELECT count(*) FROM workflows_step")
    took = runners.one("SELECT extract(epoch FROM max(ended_at) - min(started_at)) FROM workflows_step")
    updated, in_place = (
        runners.one(f"SELECT {column} FROM pg_stat_user_tables WHERE relname = 'workflows_execution'")
        for column in ("n_tup_upd", "n_tup_hot_upd")
    )
    runners.forget()
    floors.append(runners.floor())
    runners.forget()
    floor = sum(floors) / len(floors)
    wanted.at_least(f"{steps:,.0f} steps of {EXECUTIONS} executions", steps / took, 500, "a second")
    print(f"the database alone commits their rows {floor:,.0f} times a second: {steps / took / floor:.0%} of that")
    ours, theirs = ((later - earlier) / steps * 1000 for earlier, later in zip(before, after, strict=True))
    print(f"processor time of a step: {ours:.2f} ms in the workers, {theirs:.2f} ms in the database")
    print(f"versions of executions' rows written without touching an index: {in_place / updated:.0%}", flush=True)


def _seconds_of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def recover(runners: Runners, workers: list[subprocess.Popen[bytes]]) -> None:
    """How long an execution stands still after its worker was killed."""
    workers.pop().kill()
    runners.add(1, 2, seconds=600.0)
    while not runners.one("SELECT count(*) FROM workflows_execution WHERE lease_until IS NOT NULL"):
        time.sleep(0.01)
    runners.start(*WORKER)
    runners.add(1, 2)
    while not runners.one("SELECT count(*) FROM workflows_execution WHERE terminal_at IS NOT NULL"):
        time.sleep(0.1)  # the other is busy: once this one has ended, its worker is there
    workers.pop().kill()
    killed = time.monotonic()
    while runners.one("SELECT max(fence) FROM workflows_execution") < 2:
        time.sleep(0.01)
    took = time.monotonic() - killed
    wanted.at_most(
        f"Taken over after a kill, with a lease of {LEASE} s and a sweep each {SWEEP} s", took, LEASE + SWEEP, "s"
    )


if __name__ == "__main__":
    main()
