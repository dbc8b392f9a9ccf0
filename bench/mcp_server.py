"""Our MCP server with keys and PostgreSQL, side by side with FastMCP that has neither.

Both are served by one uvicorn worker with uvloop and httptools, asked by the same load generator, in rounds that take
turns, so that whatever else the machine does falls on both. Numbers are medians of the rounds.
"""

import contextlib
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from bench import fastmcp_environment
from bench.load import MODERN, OLDER, Load
from bench.rows import ACTIVITY_ROWS, Rows

ROOT = Path(__file__).resolve().parents[1]
LOG = ROOT / "var" / "bench" / "servers.log"
FEW, MANY = 1_000, 100_000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
# Requests a round, by connections: about a second each.
REQUESTS = {1: 500, 16: 1_500}
SAMPLE = 500


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    path: str
    tool: str
    key: str = ""

    def measure(self, method: str, era: str, connections: int, ids: list[str]) -> dict[str, float]:
        """One round: as many requests as REQUESTS says, after a tenth of them to warm up."""
        requests = REQUESTS[connections]
        for count in (requests // 10, requests):
            load = Load(self.port, self.path, era, method, self.tool, self.key, ids, connections, count)
            asked = subprocess.run(
                [sys.executable, "-m", "bench.load"],
                input=json.dumps(load.__dict__),
                capture_output=True,
                text=True,
                cwd=ROOT,
                timeout=120,
                check=False,
            )
            if asked.returncode != 0:
                raise SystemExit(f"{self.name}: {asked.stderr.strip().splitlines()[-1]}")
        measured: dict[str, float] = json.loads(asked.stdout)
        return measured


def main() -> None:
    with bench_database("asterism_bench_few") as few_url, bench_database("asterism_bench") as many_url:
        few, many = Populated.at(few_url, FEW), Populated.at(many_url, MANY)
        many.rows.fill_activity()
        print(f"{MANY:,} tickets and {ACTIVITY_ROWS:,} rows of activity\n", flush=True)
        with (
            served(ours(), few.environment) as few_port,
            served(ours(), many.environment) as many_port,
            served(theirs(), dict(os.environ)) as their_port,
        ):
            asterism = many.server(many_port)
            compare(asterism, Server("FastMCP", their_port, "/mcp", "ping"), many.rows.tickets)
            show_growth(few.server(few_port), few.rows.tickets, asterism, many.rows.tickets)


@dataclass(frozen=True)
class Populated:
    """A database with tickets, the environment of a server on it, and the key that opens it."""

    rows: Rows
    environment: dict[str, str]
    key: str

    @classmethod
    def at(cls, url: str, tickets: int) -> "Populated":
        environment = prepared_environment(url)
        owner = owner_in(environment)
        rows = Rows(url, owner["bot"], owner["guild"])
        rows.fill_to(tickets)
        return cls(rows, environment, owner["key"])

    def server(self, port: int) -> Server:
        return Server("Asterism", port, "/api/mcp-server", "ticket.get", self.key)


def compare(asterism: Server, fastmcp: Server, tickets: list[str]) -> None:
    title = f"requests/s, median of {ROUNDS} rounds"
    print(f"{title:<44}{'Asterism':>10}{'FastMCP':>10}{'ratio':>8}{'p99 ms':>16}")
    below, no_ids = [], list[str]()
    for era, connections, method in (
        (era, connections, method)
        for era in (OLDER, MODERN)
        for connections in REQUESTS
        for method in ("tools/list", "tools/call")
    ):
        ids = random.sample(tickets, SAMPLE) if method == "tools/call" else []
        measured: dict[str, list[dict[str, float]]] = {"Asterism": [], "FastMCP": []}
        for round_ in range(ROUNDS):
            turns = [(asterism, ids), (fastmcp, no_ids)]
            for server, given in turns if round_ % 2 else reversed(turns):
                measured[server.name].append(server.measure(method, era, connections, given))
        rate, theirs_rate = (statistics.median(one["rate"] for one in measured[name]) for name in measured)
        slow, theirs_slow = (statistics.median(one["p99"] for one in measured[name]) for name in measured)
        ratio = rate / theirs_rate
        what = f"{era}  {method:<11} {connections:>2} connection{'s' if connections > 1 else ''}"
        print(f"{what:<44}{rate:>10.0f}{theirs_rate:>10.0f}{ratio:>8.2f}{slow:>8.1f}{theirs_slow:>8.1f}", flush=True)
        if ratio < 1:
            below.append(what)
    print("\nBelow FastMCP: " + ("; ".join(below) if below else "nothing"))


def show_growth(few: Server, few_tickets: list[str], many: Server, many_tickets: list[str]) -> None:
    """The median latency of ticket.get on both databases, taken in turns."""
    print(f"\nticket.get, median latency on one connection{FEW:>15,}{MANY:>10,} tickets")
    for era in (OLDER, MODERN):
        measured: dict[int, list[float]] = {FEW: [], MANY: []}
        for _ in range(ROUNDS):
            for server, size, tickets in (few, FEW, few_tickets), (many, MANY, many_tickets):
                ids = random.sample(tickets, SAMPLE)
                measured[size].append(server.measure("tools/call", era, 1, ids)["p50"])
        small, large = statistics.median(measured[FEW]), statistics.median(measured[MANY])
        print(f"{era:<44}{small:>12.2f} ms{large:>7.2f} ms   x{large / small:.2f}")


# The servers and their database -------------------------------------------------------------------------------------


def ours() -> list[str]:
    options = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "error", "--port", "{port}"]
    return [sys.executable, "-m", "uvicorn", "config.asgi:application", *options]


def theirs() -> list[str]:
    return [str(fastmcp_environment.PYTHON), "bench/fastmcp_server.py", "{port}"]


@contextlib.contextmanager
def served(command: list[str], environment: dict[str, str]) -> Iterator[int]:
    """The port of a server that answers, until left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            [part.format(port=port) for part in command], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"This did not start: {' '.join(command)}; see {LOG}") from None
                time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@contextlib.contextmanager
def bench_database(name: str) -> Iterator[str]:
    """The URL of a new database, beside the one DATABASE_URL names or in the platform's own PostgreSQL."""
    url = os.environ.get("DATABASE_URL") or own_postgres()
    parts = urlsplit(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def own_postgres() -> str:
    """The URL of the platform's own PostgreSQL, started for as long as this process lives."""
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from config.local_postgres.base import cluster

    return cluster.ensure()


def prepared_environment(url: str) -> dict[str, str]:
    """The environment our server runs in, with the schema made."""
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "PYTHONPATH": f"{ROOT / 'platform'}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "MCP_SERVER_RATE_PER_MINUTE": "0",
        "REDIS_URL": "",
        "LOG_LEVEL": "WARNING",
    }
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=environment, check=True)
    return environment


def owner_in(environment: dict[str, str]) -> dict[str, Any]:
    """The ids of a new bot and its guild, and a key of its owner."""
    made = subprocess.run(
        [sys.executable, "-m", "bench.owner"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    ids: dict[str, Any] = json.loads(made.stdout)
    return ids
