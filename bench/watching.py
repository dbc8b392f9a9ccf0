"""What live pages cost: 50 who look on while two workers run 200 executions, and what a stream keeps of memory."""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from bench.mcp_server import LOG, ROOT, bench_database, served
from bench.running import WORKER, Runners

EXECUTIONS, STEPS, SECONDS_A_STEP = int(os.environ.get("BENCH_LIVE", "200")), 6, 0.02
WATCHERS, IDLE = 50, 300
SERVER = ["-m", "uvicorn", "bench.watched:application", "--no-access-log", "--log-level", "error", "--port", "{port}"]


class Page:
    """The web process, and the session of somebody who may look on."""

    def __init__(self, port: int, session: str) -> None:
        self.port = port
        self._session = session

    def figures(self) -> dict[str, int]:
        with urlopen(f"http://127.0.0.1:{self.port}/figures") as answer:
            found: dict[str, int] = json.load(answer)
        return found

    @contextmanager
    def watched(self, executions: list[str]) -> "Iterator[list[tuple[int, int, float]]]":
        """Each looked at by a stream of its own; what came is in the list after the block."""
        paths = [f"/dashboard/workflows/executions/{execution}/stream" for execution in executions]
        came: list[tuple[int, int, float]] = []
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.watcher"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps({"port": self.port, "session": self._session, "paths": paths}) + "\n")
            process.stdin.flush()
            if process.stdout.readline() != "ready\n":
                raise SystemExit("The streams did not open.")
            yield came
            process.stdin.write("\n")
            process.stdin.flush()
            came += json.loads(process.stdout.readline())


def main() -> None:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with bench_database("asterism_bench_live") as url, TemporaryDirectory() as folder, ExitStack() as running:
        runners = Runners(url, folder, running)
        runners.environment |= {"STREAMS_PER_PERSON": "1000", "STREAMS_PER_PROCESS": "1000"}
        runners.add(1, STEPS)
        command = [sys.executable, "-m", "bench.onlooker"]
        session = subprocess.check_output(command, cwd=ROOT, env=runners.environment, text=True).strip()
        port = running.enter_context(served([sys.executable, *SERVER], runners.environment))
        page = Page(port, session)
        show_memory(page, runners)
        print(f"\n{WATCHERS} live pages while 2 workers run {EXECUTIONS} executions of {STEPS} steps")
        print(f"{'':<30}{'events/s':>10}{'p50 ms':>9}{'p95 ms':>9}{'queries an event told':>24}")
        for _ in range(2):
            runners.start(*WORKER)
        show_events(page, runners, "each of another execution", watched=WATCHERS)
        show_events(page, runners, "all of the same execution", watched=1)


def show_memory(page: Page, runners: Runners) -> None:
    ids = ids_of(runners)[:1]
    with page.watched(ids):
        before = page.figures()["resident_kb"]
        with page.watched(ids * IDLE):
            after = page.figures()["resident_kb"]
    print(f"\nMemory of a stream, over {IDLE} of them: {(after - before) / IDLE:.0f} KB")


def show_events(page: Page, runners: Runners, title: str, *, watched: int) -> None:
    """Events told a second, how long after their commit they came, and the queries that each cost."""
    runners.forget()
    runners.add(EXECUTIONS, STEPS, SECONDS_A_STEP)
    ids = ids_of(runners)
    looked_at = [ids[place % watched * (len(ids) // watched)] for place in range(WATCHERS)]
    with page.watched(looked_at) as came:
        before = page.figures()["queries"]
        sweep = runners.start("-c", "from bench.runner import sweep_every; sweep_every(1)")
        runners.finish()
        sweep.kill()
        time.sleep(1)  # for the last of it to come
        queries = page.figures()["queries"] - before
    at_of = committed(runners)
    delays = [at - at_of[looked_at[place], number] for place, number, at in came]
    seconds = max(at for _, _, at in came) - min(at for _, _, at in came)
    middle, late = statistics.median(delays), statistics.quantiles(delays, n=20)[-1]
    print(
        f"{title:<30}{len(came) / seconds:>10,.0f}{middle * 1_000:>9.0f}{late * 1_000:>9.0f}"
        f"{queries / len(came):>24.2f}",
        flush=True,
    )


def ids_of(runners: Runners) -> list[str]:
    return [str(found) for (found,) in runners.connection.execute("SELECT id FROM workflows_execution ORDER BY id")]


def committed(runners: Runners) -> dict[tuple[str, int], float]:
    """When each activity was written, by its execution and number."""
    found = runners.connection.execute("SELECT execution_id, number, extract(epoch FROM at) FROM workflows_activity")
    return {(str(execution), number): float(at) for execution, number, at in found}


if __name__ == "__main__":
    main()
